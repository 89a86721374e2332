"""The instant learner: a small net on frozen features and filters, fitted in about a second.

`filters` are what a forest sees, `network` puts them beside the features of the embedded base, `examples` chooses
windows and pixels, `fitting` fits the net, `keeping` keeps features, `learner` puts it together.
"""

from segstudio.learn.instant.keeping import FeatureKeeper
from segstudio.learn.instant.learner import fit_instant, instant_model, look_ahead
from segstudio.learn.instant.network import InstantNetwork

__all__ = ["FeatureKeeper", "InstantNetwork", "fit_instant", "instant_model", "look_ahead"]
