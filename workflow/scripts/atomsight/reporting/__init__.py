"""Reports on models: the page of metrics, and the README of a model that ships."""
