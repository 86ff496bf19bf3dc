"""Opening below a root: nothing leads out of it, whoever tries."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.act.local.sweep.beneath import (
    ITSELF,
    ByKernel,
    BySteps,
    Root,
    Way,
    closing,
    find_way,
)
from tests.unit.act.local.sweeps import (
    WAYS,
    fingerprint,
    make_way,
    mount_disk,
    mounted,
    names_in,
    needs_linux,
    needs_root,
    refused,
    swapping,
)

pytestmark = needs_linux
TRIES = 10_000
A_LINK = (errno.ELOOP, errno.ENOTDIR)
HOME = Path(__file__).parents[4]
# Says what is used where a sandbox forbids the call, as older ones do.
FORBIDDEN = """
import ctypes, os, struct, sys
from app.act.local.sweep.beneath import Root, find_way
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 437), (6, 0, 0, 0x50000 | int(sys.argv[2])), (6, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *s) for s in steps))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
print(type(find_way()).__name__)
with Root(sys.argv[1]) as root:
    print(os.listdir(root.open_folder("inner")))
"""  # noqa: E501 # a program of its own


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return each way of opening."""
    return make_way(request.param)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a root with a folder in it, and a secret beside it."""
    root = tmp_path / "root"
    (root / "inner" / "deep").mkdir(parents=True)
    (root / "inner" / "file").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("secret")
    return root


def open_files() -> int:
    """Return how many files we have open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_below_is_opened(tree: Path, way: Way) -> None:
    """The root itself, and folders at any depth."""
    with Root(str(tree), way) as root:
        for path, names in (
            ("", {"inner"}),
            ("inner", {"deep", "file"}),
            ("inner/deep", set()),
        ):
            with closing(root.open_folder(path)) as folder:
                assert names_in(folder) == names
        assert root.device == tree.stat().st_dev


@pytest.mark.parametrize(
    "path",
    ["..", "inner/..", "inner/../..", "/etc", "inner//deep", "./inner", "a/."],
)
def test_only_names_lead_down(tree: Path, way: Way, path: str) -> None:
    """A path that could lead anywhere else is not even tried."""
    with Root(str(tree), way) as root, refused(errno.EINVAL):
        root.open_folder(path)


@pytest.mark.parametrize("name", ["..", ".", "", "deep/x", "/etc/passwd"])
def test_one_name_is_one_name(tree: Path, way: Way, name: str) -> None:
    """What is looked at is in the folder itself."""
    with (
        Root(str(tree), way) as root,
        closing(root.open_folder("inner")) as folder,
        pytest.raises(OSError, match="not only down"),
    ):
        root.look_at(folder, name)


def test_no_link_is_followed(tree: Path, way: Way) -> None:
    """Neither at the end nor on the way, neither outwards nor inwards."""
    (tree / "out").symlink_to(tree.parent / "outside")
    (tree / "in").symlink_to("inner")
    (tree / "self").symlink_to("/proc/self/root")
    with Root(str(tree), way) as root:
        for path in ("out", "in", "in/deep", "self", "self/etc"):
            with refused(*A_LINK):
                root.open_folder(path)


def test_a_link_is_seen_as_a_link(tree: Path, way: Way) -> None:
    """A handle of it is one of itself."""
    (tree / "inner" / "link").symlink_to(tree.parent / "outside" / "file")
    with (
        Root(str(tree), way) as root,
        closing(root.open_folder("inner")) as folder,
        closing(root.look_at(folder, "link")) as link,
        closing(root.look_at(folder, "file")) as file,
    ):
        assert os.readlink("", dir_fd=link).endswith("outside/file")
        assert os.fstat(file).st_ino == (tree / "inner/file").stat().st_ino


def test_looking_opens_nothing(tree: Path, way: Way) -> None:
    """A pipe that nobody writes to does not hold us."""
    os.mkfifo(tree / "inner" / "pipe")
    with (
        Root(str(tree), way) as root,
        closing(root.open_folder("inner")) as folder,
        closing(root.look_at(folder, "pipe")) as pipe,
        refused(errno.EBADF),
    ):
        os.read(pipe, 1)


@needs_root
def test_no_mount_point_is_crossed(tree: Path, way: Way) -> None:
    """Neither another disk, nor the same one mounted again, nor a file."""
    outside = tree.parent / "outside"
    (tree / "file").write_text("mine")
    with (
        mount_disk(tree / "disk"),
        mounted(tree / "bound", "--bind", str(outside)),
        mounted(tree / "file", "--bind", str(outside / "file")),
        Root(str(tree), way) as root,
        closing(root.open_folder("")) as folder,
    ):
        assert (tree / "bound").stat().st_dev == root.device
        for name in ("disk", "bound", "file"):
            with refused(errno.EXDEV, errno.ENOTDIR):
                root.open_folder(name)
            with refused(errno.EXDEV):
                root.look_at(folder, name)


def test_no_link_leads_to_a_root(tree: Path, way: Way) -> None:
    """Whoever could turn the link would choose what is cleaned."""
    (tree.parent / "link").symlink_to(tree)
    for path in ("link", "link/inner"):
        with refused(*A_LINK):
            Root(str(tree.parent / path), way)


@pytest.mark.parametrize("path", ["root", "", "/tmp/../etc", "/no/such"])
def test_a_root_is_a_whole_path(way: Way, path: str) -> None:
    """What is not one, or not there, is no root."""
    with refused(errno.EINVAL, errno.ENOENT):
        Root(path, way)


def test_a_root_is_opened_once(tree: Path, way: Way) -> None:
    """What takes its name later is not it."""
    with Root(str(tree), way) as root:
        tree.rename(tree.parent / "moved")
        tree.symlink_to(tree.parent / "outside")
        with closing(root.open_folder("")) as folder:
            assert names_in(folder) == {"inner"}


def test_nothing_stays_open(tree: Path, way: Way) -> None:
    """Neither after a success nor after any failure."""
    (tree / "out").symlink_to("/etc")
    before = open_files()
    with Root(str(tree), way) as root:
        for path in ("inner/deep", "out", "inner/none", "inner/file/x", ".."):
            try:
                os.close(root.open_folder(path))
            except OSError:
                continue
        assert open_files() == before + 1
    with refused(*A_LINK):
        Root(str(tree / "out"), way)
    assert open_files() == before


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
def test_a_sandbox_without_the_call(tree: Path, number: int) -> None:
    """Where it is forbidden or not there, each step is made by itself."""
    words = [sys.executable, "-c", FORBIDDEN, str(tree), str(number)]
    done = subprocess.run(
        words,
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[:1] == ["BySteps"], done.stderr
    assert "'deep'" in done.stdout


def test_the_kernel_is_asked_where_it_can() -> None:
    """The best way works here, or there is a reason for the other."""
    way = find_way()
    with closing(os.open("/", ITSELF)) as top:
        os.close(way.open(top, "proc", ITSELF, 0))
    assert isinstance(way, ByKernel | BySteps)


def test_a_swapped_folder_never_leads_out(tree: Path, way: Way) -> None:
    """A folder and a link change places while it is opened 10,000 times."""
    outside = tree.parent / "outside"
    sentinel = fingerprint(outside)
    (tree / "trap").symlink_to(outside)
    inner = (tree / "inner").stat().st_ino
    opened = 0
    numbers: set[int | None] = set()
    with (
        Root(str(tree), way) as root,
        swapping(tree / "inner", tree / "trap") as swaps,
    ):
        for _ in range(TRIES):
            try:
                with closing(root.open_folder("inner")) as folder:
                    assert os.fstat(folder).st_ino == inner
                    opened += 1
            except OSError as error:
                numbers.add(error.errno)
        assert swaps()
    assert opened, "it was never open"
    assert numbers, "it was never swapped"
    assert numbers <= set(A_LINK)
    assert fingerprint(outside) == sentinel
