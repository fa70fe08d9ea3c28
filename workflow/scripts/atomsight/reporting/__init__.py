"""What is told of models: the page of metrics, the README of a model that ships."""
