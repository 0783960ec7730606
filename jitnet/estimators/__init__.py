"""Estimators with fit, predict and score, as scikit-learn's."""

from jitnet.estimators.api import CNN, MLP, CNNRegressor, MLPRegressor

__all__ = ["CNN", "MLP", "CNNRegressor", "MLPRegressor"]
