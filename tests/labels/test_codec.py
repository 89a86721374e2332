from contextlib import suppress

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from segstudio.errors import ProjectDamaged
from segstudio.geometry import TILE
from segstudio.labels.tiles.codec import apply_delta, decode_tile, encode_delta, encode_tile
from segstudio.labels.tiles.tile import EMPTY, Constant, Dense, digest, expanded, frozen, same, writable_copy
from tests.labels.label_strategies import TOP_ID, few, some, tiles

PIXELS = TILE * TILE


def a_tile_of(count: int, lowest: int, step: int = 1) -> Dense:
    rng = np.random.default_rng(count)
    palette = (lowest + step * np.arange(count, dtype=np.int64)).astype(np.uint32)
    places = np.concatenate([np.arange(count), rng.integers(0, count, PIXELS - count)])
    tile = frozen(palette[rng.permutation(places)].reshape(TILE, TILE), rng.integers(0, 6, (TILE, TILE), np.uint8))
    assert isinstance(tile, Dense)
    return tile


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 65535, 65536])
@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 1), (65535, 1), (65536, 1), (TOP_ID, -1), (0, 65521)], ids=str)
def test_every_size_of_palette_survives_the_codec(count, first, step):
    tile = a_tile_of(count, first, step)
    blob = encode_tile(tile)
    assert blob[0] == 1
    assert same(decode_tile(blob), tile)


@pytest.mark.parametrize("id_", [0, 1, 255, 65536, TOP_ID])
@pytest.mark.parametrize("origin", [0, 5, 255])
def test_a_constant_tile_stays_constant_and_small(id_, origin):
    blob = encode_tile(Constant(id_, origin))
    assert decode_tile(blob) == Constant(id_, origin)
    assert len(blob) < 40


@some
@given(tiles())
def test_decoding_what_was_encoded_gives_the_tile(tile):
    found = decode_tile(encode_tile(tile))
    assert same(found, tile)
    assert isinstance(found, Constant) == isinstance(tile, Constant)
    assert digest(found) == digest(tile)


@some
@given(tiles(), tiles())
def test_a_delta_leads_from_either_tile_to_the_other(a, b):
    delta = encode_delta(a, b)
    assert same(apply_delta(a, delta), b)
    assert same(apply_delta(b, delta), a)
    assert same(apply_delta(a, encode_delta(a, a)), a)


def test_the_digest_is_the_sha256_of_the_raw_content_constant_or_dense():
    import hashlib

    ids, origins = writable_copy(Constant(TOP_ID - 1, 4))
    raw = ids.astype("<u4").tobytes() + origins.tobytes()
    assert digest(Constant(TOP_ID - 1, 4)) == hashlib.sha256(raw).digest()
    assert digest(Dense(ids, origins)) == hashlib.sha256(raw).digest()
    tile = a_tile_of(300, 7)
    raw = tile.ids.astype("<u4").tobytes() + tile.origins.tobytes()
    assert digest(tile) == hashlib.sha256(raw).digest()


def test_arrays_of_a_tile_are_read_only_and_a_writable_copy_is_its_own():
    for tile in (EMPTY, Constant(3, 1), a_tile_of(5, 1), decode_tile(encode_tile(a_tile_of(5, 1)))):
        for array in expanded(tile):
            assert not array.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 1
        before = digest(tile)
        for array in writable_copy(tile):
            array[:] = 9
        assert digest(tile) == before


def test_same_origin_but_one_pixel_makes_a_dense_tile():
    for y, x in ((0, 0), (100, 3), (255, 255)):
        ids, origins = writable_copy(Constant(4, 1))
        origins[y, x] = 2
        assert isinstance(frozen(ids, origins), Dense)
        ids, origins = writable_copy(Constant(4, 1))
        ids[y, x] = 0
        assert not same(frozen(ids, origins), Constant(4, 1))


@few
@given(tiles(), st.data())
def test_a_damaged_blob_is_refused_or_decodes_to_some_tile_but_never_anything_else(tile, data):
    blob = bytearray(encode_tile(tile))
    if data.draw(st.booleans()):
        blob = blob[: data.draw(st.integers(0, len(blob) - 1))]
    else:
        blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    found = None
    with suppress(ProjectDamaged):
        found = decode_tile(bytes(blob))
    if found is not None:
        ids, origins = expanded(found)
        assert ids.shape == origins.shape == (TILE, TILE)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\x01\x00\x00\x00\x05\x00\x00\x00",  # a constant without its origin
        b"\x00\x00\x00\x00\x00\x01",  # no palette
        b"\x03\x01\x00\x00\x00" + bytes(4 + 4 * PIXELS),  # no such width
        b"\x01\xff\xff\xff\xff" + bytes(64),
        b"\x01\x01\x00\x00\x00" + bytes(4) + b"\x01" * PIXELS + bytes(PIXELS),  # index beyond the palette
        b"\x01\x01\x00\x00\x00" + bytes(4 + 2 * PIXELS + 1),  # something behind
        bytes(2_000_000),
    ],
    ids=["empty", "short", "no palette", "width", "count", "index", "trailing", "bomb"],
)
def test_a_tile_that_is_none_is_refused_in_one_sentence(raw):
    with pytest.raises(ProjectDamaged, match="damaged"):
        decode_tile(b"\x01" + zstandard.ZstdCompressor().compress(raw))


@pytest.mark.parametrize("blob", [b"", b"\x02abc", b"\x01", b"\x01not zstd"])
def test_bytes_of_another_codec_or_no_codec_are_refused(blob):
    with pytest.raises(ProjectDamaged):
        decode_tile(blob)


@pytest.mark.parametrize(("count", "lowest", "step"), [(2, 0, 31), (16, 0, 2), (32, 0, 1), (30, 1, 1), (31, 2, 1)])
def test_tiles_of_a_few_classes_have_the_bytes_that_they_always_had(count, lowest, step, monkeypatch):
    tile = a_tile_of(count, lowest, step)
    blob = encode_tile(tile)
    monkeypatch.setattr("segstudio.labels.tiles.codec._FEW", 0)
    assert encode_tile(tile) == blob
