from core.demo import parameters, tree
from core.demo.looks import KINDS


def test_every_kind_has_one_leaf_with_three_levels():
    leaves = tree.leaves()
    assert set(leaves) == set(KINDS) == set(parameters.POPULARITY)
    assert len(parameters.POPULARITY) == len(KINDS)
    assert len({leaf.category_id for leaf in leaves.values()}) == len(leaves)
    for paths in ([leaf.path for leaf in leaves.values()], [leaf.path_zh for leaf in leaves.values()]):
        assert len(set(paths)) == len(leaves)
        assert all(len(path) == 3 and all(path) for path in paths)


def test_neighbours_are_near_and_never_the_leaf_itself():
    for slug, leaf in tree.leaves().items():
        near = tree.neighbours(slug)
        assert near and slug not in near
        assert all(tree.path(other)[0] == leaf.path[0] or other == tree.counterpart(slug) for other in near)


def test_an_unknown_category_is_its_own_path():
    assert tree.path("mens-kilts") == ("mens-kilts",)
