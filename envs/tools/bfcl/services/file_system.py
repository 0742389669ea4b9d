"""The file system: a tree of directories and files, and a current directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acgym.envs.tools.bfcl.services.base import Service
from acgym.envs.tools.bfcl.services.tree import Node, same_tree, walk
from acgym.types import Json

_NOT_IN_NAMES = frozenset('|/\\?%*:"><')


class FileSystem(Service):
    """The service ``GorillaFileSystem``. The current directory is no part of the compared state."""

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        tree: Mapping[str, Any] = config.get("root", {"/": {"contents": {}}})
        name = next(iter(tree))
        self._root = Node(name, None, {})
        self._here = self._root
        self._fill(self._root, tree[name]["contents"])

    def _fill(self, directory: Node, contents: Mapping[str, Any]) -> None:
        longer = self._extension
        for name, data in contents.items():
            if data["type"] == "directory":
                child = Node(name, directory, {})
                self._fill(child, data["contents"])
            else:
                text = data["content"]
                if longer is not None and name not in longer["FILES_TAIL_USED"]:
                    text += longer["FILE_CONTENT_EXTENSION"]
                child = Node(name, directory, None, text)
            directory.entries()[name] = child
        if longer is not None and not any(data["type"] == "directory" for data in contents.values()):
            for name in longer["POPULATE_FILE_EXTENSION"]:
                self._add(directory, name, None)

    def same(self, other: Service) -> bool:
        """Say whether two runs left the same tree."""
        return isinstance(other, FileSystem) and same_tree(self._root, other._root)

    @staticmethod
    def _add(directory: Node, name: str, children: dict[str, Node] | None, text: str = "") -> None:
        if name in directory.entries():
            raise FileExistsError(f"{name} exists in {directory.name}")
        directory.entries()[name] = Node(name, directory, children, text)

    def _find_file(self, name: str) -> Node | None:
        found = self._here.entries().get(name)
        return found if found is not None and found.children is None else None

    def _directory(self, path: str | None) -> Node | None:
        """Return the directory at a path, None if there is none."""
        if path is None or path == ".":
            return self._here
        if path == "/":
            return self._root
        at = self._root if path.startswith("/") else self._here
        for name in path.strip("/").split("/"):
            child = at if name == "." else at.entries().get(name)
            if child is None or child.children is None:
                return None
            at = child
        return at

    def pwd(self) -> Json:
        """Name the current directory."""
        names: list[str] = []
        at: Node | None = self._here
        while at is not None:
            names.append(at.name)
            at = at.parent
        return {"current_working_directory": "/" + "/".join(reversed(names))}

    def ls(self, a: bool = False) -> Json:
        """List the current directory; hidden names only with ``a``."""
        return {"current_directory_content": [name for name in self._here.entries() if a or not name.startswith(".")]}

    def cd(self, folder: str) -> Json:
        """Go to a directory: a name in the current one, ``..``, ``.`` or ``/``."""
        folder = folder.rstrip("/") or "/"
        if folder == "..":
            if self._here.parent is None:
                return {"error": "cd: the root has no parent directory"}
            self._here = self._here.parent
            return {}
        if folder != "/" and "/" in folder:
            return {"error": f"cd: {folder}: go one directory at a time"}
        target = self._directory(folder)
        if target is None:
            return {"error": f"cd: there is no directory '{folder}'"}
        self._here = target
        return {"current_working_directory": target.name}

    def mkdir(self, dir_name: str) -> Json:
        """Make a directory in the current one."""
        return self._make("mkdir", dir_name, {})

    def touch(self, file_name: str) -> Json:
        """Make an empty file in the current directory."""
        return self._make("touch", file_name, None)

    def _make(self, command: str, name: str, children: dict[str, Node] | None) -> Json:
        if _NOT_IN_NAMES.intersection(name):
            return {"error": f"{command}: '{name}' has a character that no name may have"}
        if name in self._here.entries():
            return {"error": f"{command}: '{name}' exists already"}
        self._add(self._here, name, children)
        return None

    def echo(self, content: str, file_name: str | None = None) -> Json:
        """Write a text into a file that exists, or to the terminal."""
        if file_name is None:
            return {"terminal_output": content}
        if _NOT_IN_NAMES.intersection(file_name):
            return {"error": f"echo: '{file_name}' has a character that no name may have"}
        if not file_name:
            return {"terminal_output": content}
        found = self._here.entries().get(file_name)
        if found is None:
            return {"error": f"echo: there is no file '{file_name}'"}
        if found.children is not None:
            raise IsADirectoryError(f"{file_name} is a directory")
        found.text = content
        return None

    def cat(self, file_name: str) -> Json:
        """Show a file."""
        if _NOT_IN_NAMES.intersection(file_name):
            return {"error": f"cat: '{file_name}' has a character that no name may have"}
        found = self._here.entries().get(file_name)
        if found is None:
            return {"error": f"cat: there is no file '{file_name}'"}
        if found.children is not None:
            return {"error": f"cat: '{file_name}' is a directory"}
        return {"file_content": found.text}

    def find(self, path: str = ".", name: str | None = None) -> Json:
        """List everything under a directory whose name contains ``name``."""
        start = self._directory(path)
        if start is None:
            return {"error": f"find: there is no directory '{path}'"}
        return {"matches": [at for at, node in walk(start, path.rstrip("/")) if name is None or name in _last(at)]}

    def wc(self, file_name: str, mode: str = "l") -> Json:
        """Count lines (``l``), words (``w``) or characters (``c``)."""
        count: dict[str, tuple[str, Callable[[str], int]]] = {
            "l": ("lines", lambda text: len(text.splitlines())),
            "w": ("words", lambda text: len(text.split())),
            "c": ("characters", len),
        }
        if mode not in count:
            return {"error": f"wc: there is no mode '{mode}'"}
        found = self._find_file(file_name)
        if found is None:
            return _no_file("wc", file_name)
        return {"count": count[mode][1](found.text), "type": count[mode][0]}

    def sort(self, file_name: str) -> Json:
        """Show a file's lines in order; the file stays as it is."""
        found = self._find_file(file_name)
        return (
            _no_file("sort", file_name)
            if found is None
            else {"sorted_content": "\n".join(sorted(found.text.splitlines()))}
        )

    def grep(self, file_name: str, pattern: str) -> Json:
        """Show the lines that contain a text."""
        found = self._find_file(file_name)
        if found is None:
            return _no_file("grep", file_name)
        return {"matching_lines": [line for line in found.text.splitlines() if pattern in line]}

    def du(self, human_readable: bool = False) -> Json:
        """Tell the bytes of all files under the current directory."""
        size: float = sum(len(node.text.encode("utf-8", "surrogatepass")) for _, node in walk(self._here, ""))
        if not human_readable:
            return {"disk_usage": f"{size} bytes"}
        for unit in ("B", "KB", "MB", "GB", "TB"):
            if size < 1024:
                return {"disk_usage": f"{size:.2f} {unit}"}
            size /= 1024
        return {"disk_usage": f"{size:.2f} PB"}

    def tail(self, file_name: str, lines: int = 10) -> Json:
        """Show a file's last lines."""
        found = self._find_file(file_name)
        if found is None:
            return _no_file("tail", file_name)
        content = found.text.splitlines()
        # A slice from minus zero is the whole file: asking for no lines shows all of them.
        return {"last_lines": "\n".join(content[-min(lines, len(content)) :])}

    def diff(self, file_name1: str, file_name2: str) -> Json:
        """Show the lines in which two files differ, as far as the shorter one goes."""
        one, other = self._find_file(file_name1), self._find_file(file_name2)
        if one is None or other is None:
            return _no_file("diff", f"{file_name1}' or '{file_name2}")
        pairs = zip(one.text.splitlines(), other.text.splitlines(), strict=False)
        return {"diff_lines": "\n".join(f"- {a}\n+ {b}" for a, b in pairs if a != b)}

    def mv(self, source: str, destination: str) -> Json:
        """Move into a directory of the current one, or rename."""
        return self._transfer("mv", source, destination)

    def cp(self, source: str, destination: str) -> Json:
        """Copy into a directory of the current one, or under a new name; what lies deeper is shared by both."""
        return self._transfer("cp", source, destination)

    def _transfer(self, command: str, source: str, destination: str) -> Json:
        here = self._here.entries()
        item = here.get(source)
        if item is None:
            return {"error": f"{command}: there is no '{source}'"}
        if "/" in destination:
            return {"error": f"{command}: the destination must be a name, not a path"}
        into = here.get(destination)
        place = destination if into is None else f"{destination}/{source}"
        told = f"'{source}' {'moved' if command == 'mv' else 'copied'} to '{place}'"
        if into is not None:
            if into.children is None:
                return {"error": f"{command}: '{destination}' is a file"}
            if command == "mv" and source in into.children:
                return {"error": f"{command}: '{destination}/{source}' exists already"}
        if command == "mv":
            del here[source]
        directory, name = (self._here, destination) if into is None else (into, source)
        # The new directory is entered before the old contents are read: a directory copied into itself holds itself.
        self._add(directory, name, None if item.children is None else {}, item.text)
        if item.children is not None:
            directory.entries()[name].children = item.children if command == "mv" else item.children.copy()
        return {"result": told}

    def rm(self, file_name: str) -> Json:
        """Remove a file, or a directory with all that lies in it."""
        if file_name not in self._here.entries():
            return {"error": f"rm: there is no '{file_name}'"}
        del self._here.entries()[file_name]
        return {"result": f"'{file_name}' removed"}

    def rmdir(self, dir_name: str) -> Json:
        """Remove an empty directory."""
        found = self._here.entries().get(dir_name)
        if found is None:
            return {"error": f"rmdir: there is no '{dir_name}'"}
        if found.children is None:
            return {"error": f"rmdir: '{dir_name}' is a file"}
        if found.children:
            return {"error": f"rmdir: '{dir_name}' is not empty"}
        del self._here.entries()[dir_name]
        return {"result": f"'{dir_name}' removed"}


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _no_file(command: str, name: str) -> Json:
    return {"error": f"{command}: there is no file '{name}'"}
