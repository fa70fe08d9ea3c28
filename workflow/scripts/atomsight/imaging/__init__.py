"""From exit waves to images as a microscope and its camera record them."""
