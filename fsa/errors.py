"""Errors that a caller of fsa may catch."""


class FsaError(Exception):
    """Any error that fsa raises on purpose."""


class ChoiceDataError(FsaError, ValueError):
    """A record of a choice is not what the format allows."""


class EpisodeError(FsaError, ValueError):
    """An episode would show the model what it has to predict."""


class ShapeError(FsaError, ValueError):
    """Tensors disagree about users, choices, options or features."""


class ConfigError(FsaError, ValueError):
    """Parts of a configuration do not fit each other."""


class FeatureError(FsaError, ValueError):
    """Features cannot be computed, or the store that keeps them is unusable."""


class CheckpointError(FsaError, ValueError):
    """A run folder or checkpoint is not what its configuration says."""


class OutputError(FsaError, OSError):
    """A file or folder that results should go to cannot be written."""


class DivergedError(FsaError, ArithmeticError):
    """Training came to numbers that are not finite."""


class StoreError(FsaError):
    """The database of people and their choices cannot be reached, or is not what this version can read."""


class JudgeError(FsaError):
    """A judge gave no usable answer at all."""
