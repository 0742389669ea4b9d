"""The files of a model folder, looked over before it is loaded: configuration, index, weights, their quantisation."""
