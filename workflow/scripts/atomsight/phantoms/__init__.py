"""Phantoms: specimens and images made in another way than those for training.

The training sees random Voronoi sheets through Keras' microscope. What is here is made another way
on purpose: perfect lattices deformed by a formula and polycrystals relaxed with a potential, seen
through abTEM's own transfer function and a camera in NumPy. For nanoparticles the training grows
atoms on cut crystals; here they are Wulff constructions whose surface is etched, on other films and
another support crystal. A network that has learned only its own simulator fails here.
"""
