"""A tree of directories and files that may share their contents: comparing and walking it ends in any case."""

from __future__ import annotations

from collections.abc import Iterator

MAX_NODES = 20_000
"""A walk that meets more files and directories is given up: copies share what lies in them, so a few calls can make a
tree without end."""
MAX_PATH_CHARS = 1_000_000
"""Likewise, if the paths together are longer."""


class Node:
    """A file (``children`` is None) or a directory."""

    __slots__ = ("children", "name", "parent", "text")

    def __init__(self, name: str, parent: Node | None, children: dict[str, Node] | None, text: str = "") -> None:
        self.name, self.parent, self.children, self.text = name, parent, children, text

    def entries(self) -> dict[str, Node]:
        """Return what lies in a directory."""
        if self.children is None:
            raise NotADirectoryError(f"{self.name} is a file")
        return self.children


def same_tree(one: Node, other: Node) -> bool:
    """Compare names, texts and contents; each pair of nodes is looked at once, as trees may share or contain them."""
    seen: set[tuple[int, int]] = set()
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        if a.name != b.name or a.text != b.text or (a.children is None) != (b.children is None):
            return False
        if a.children is not None and b.children is not None:
            if a.children.keys() != b.children.keys():
                return False
            pairs += [(child, b.children[name]) for name, child in a.children.items()]
    return True


def walk(start: Node, base: str) -> Iterator[tuple[str, Node]]:
    """Give path and node of everything under a directory, each directory before what lies in it.

    Raises:
        ValueError: after ``MAX_NODES``, or ``MAX_PATH_CHARS``.
    """
    left = MAX_PATH_CHARS
    waiting = [(f"{base}/{name}", node) for name, node in reversed(start.entries().items())]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        path, node = waiting.pop()
        left -= len(path)
        if left < 0:
            break
        yield path, node
        if node.children is not None:
            waiting += [(f"{path}/{name}", child) for name, child in reversed(node.children.items())]
    raise ValueError("the tree is too large")
