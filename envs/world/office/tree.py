"""A simulated file system: texts by absolute path, and the folders that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MOST_CHARS = 200_000
"""A tree holds at most so many characters; what would make it larger is refused."""


class Refused(Exception):
    """A command that cannot be carried out; the message is what a terminal would say, ``kind`` the kind of mistake."""

    def __init__(self, message: str, kind: str = "no_such_file") -> None:
        super().__init__(message)
        self.kind = kind


class Tree:
    """Files and folders; nothing outside of it is ever touched.

    Args:
        files: absolute path -> text. Their folders exist.
        folders: further folders, such as empty ones.
    """

    def __init__(self, files: Mapping[str, str], folders: Iterable[str] = ()) -> None:
        self.files = dict(files)
        self.folders = {"/"}
        for path in [*self.files, *(f"{folder}/x" for folder in folders)]:
            while path != "/":
                path = parent(path)
                self.folders.add(path)
        self.here = "/"
        self.missed: list[str] = []
        """What the command under way could not read, while it could read something else."""
        self.found = True
        """Whether the command under way found what it looked for."""

    def path(self, name: str) -> str:
        """Return the absolute path of a name: ``..``, ``.``, ``~`` and doubled slashes are resolved."""
        if name == "~" or name.startswith("~/"):
            name = name[1:] or "/"
        parts: list[str] = []
        for part in (name if name.startswith("/") else f"{self.here}/{name}").split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def read(self, name: str) -> str:
        """Return the text of a file."""
        path = self.path(name)
        if path in self.folders:
            raise Refused(f"{name}: Is a directory")
        if path not in self.files:
            raise Refused(f"{name}: No such file or directory")
        return self.files[path]

    def write(self, name: str, text: str, more: bool = False) -> None:
        """Make a file of a text, or add the text to it."""
        path = self.path(name)
        if path in self.folders:
            raise Refused(f"{name}: Is a directory")
        if parent(path) not in self.folders:
            raise Refused(f"{name}: No such file or directory")
        text = self.files.get(path, "") + text if more else text
        if len(text) + sum(map(len, self.files.values())) > MOST_CHARS:
            raise Refused("No space left on device", "too_much")
        self.files[path] = text

    def children(self, folder: str) -> list[str]:
        """List the names in a folder, folders with a slash behind them, sorted."""
        prefix = folder.rstrip("/") + "/"
        names = {path.removeprefix(prefix) for path in self.files if path.startswith(prefix)}
        names = {name for name in names if "/" not in name}
        inside = {path.removeprefix(prefix) for path in self.folders if path.startswith(prefix) and path != folder}
        return sorted(names | {f"{name}/" for name in inside if name and "/" not in name})

    def under(self, name: str) -> list[str]:
        """List the paths of all files under a folder, or the file itself, sorted."""
        path = self.path(name)
        if path in self.files:
            return [path]
        if path not in self.folders:
            raise Refused(f"{name}: No such file or directory")
        prefix = path.rstrip("/") + "/"
        return sorted(one for one in self.files if one.startswith(prefix))

    def make_folder(self, name: str, parents: bool = False) -> None:
        """Make a folder; with ``parents`` also those above it."""
        path = self.path(name)
        if path in self.files or (path in self.folders and not parents):
            raise Refused(f"mkdir: cannot create directory '{name}': File exists")
        if not parents and parent(path) not in self.folders:
            raise Refused(f"mkdir: cannot create directory '{name}': No such file or directory")
        if len(self.folders) > 1000 or len(path) > 500:
            raise Refused("No space left on device", "too_much")
        while path != "/":
            self.folders.add(path)
            path = parent(path)

    def copy(self, source: str, target: str, keep: bool) -> None:
        """Copy a file, or move a file or folder where it is not to be kept."""
        path, goal = self.path(source), self.path(target)
        if path not in self.files and (keep or path not in self.folders):
            reason = "omitting directory" if path in self.folders else "No such file or directory"
            raise Refused(f"{source}: {reason}")
        if goal in self.folders:
            goal = f"{goal.rstrip('/')}/{base(path)}"
        if (
            parent(goal) not in self.folders
            or goal in self.folders
            or (target.endswith("/") and goal == self.path(target))
        ):
            raise Refused(f"{target}: No such file or directory")
        if goal == path:
            raise Refused(f"'{source}' and '{target}' are the same file", "already")
        if path in self.files:
            self.write(goal, self.files[path])
            if not keep:
                del self.files[path]
            return
        if goal.startswith(path + "/") or path == "/":
            raise Refused(f"cannot move '{source}' to a subdirectory of itself")
        self.files = {_moved(one, path, goal): text for one, text in self.files.items()}
        self.folders = {_moved(one, path, goal) for one in self.folders}

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.read(name)
        del self.files[self.path(name)]


def parent(path: str) -> str:
    """Return the folder of an absolute path."""
    return path.rpartition("/")[0] or "/"


def base(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def _moved(path: str, old: str, new: str) -> str:
    return new + path.removeprefix(old) if path == old or path.startswith(old + "/") else path
