import errno
import functools
import hashlib
import http.server
import threading

import pooch
import pytest

from atomsight.errors import InputError
from atomsight.orchestration.registry import COLUMNS, fetch, read_registry

NAME = "ulm_graphene_grain_boundary"
CONTENT = b"an image"
#: Nothing listens at this port of the machine itself.
NO_URL = "http://127.0.0.1:9/image.tif"


@pytest.fixture(autouse=True)
def _local_only(monkeypatch):
    monkeypatch.delenv("ATOMSIGHT_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def registry(tmp_path):
    def write(url=NO_URL, content=CONTENT):
        row = dict.fromkeys(COLUMNS, "a test") | {"name": "image", "file": "image.tif"}
        row |= {"url": url, "sha256": hashlib.sha256(content).hexdigest(), "pixel_size_A": "0.1"}
        path = tmp_path / "registry.tsv"
        path.write_text("\t".join(COLUMNS) + "\n" + "\t".join(row.values()) + "\n")
        return path

    return write


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "image.tif").write_bytes(CONTENT)
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "image.tif"


def left_behind(output):
    return sorted(path.name for path in output.parent.iterdir()) if output.parent.exists() else []


def test_the_registry_that_ships_is_complete():
    table = read_registry()
    assert NAME in table.index
    assert table.notna().all(axis=None)
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert table["url"].str.startswith("https://").all()
    assert (table["pixel_size_A"] > 0).all()


def test_a_download_is_checked_and_put_in_place(registry, server, output):
    assert fetch("image", output, registry(f"{server}/image.tif")) == output
    assert output.read_bytes() == CONTENT
    assert left_behind(output) == ["image.tif"]


@pytest.mark.parametrize(
    ("page", "content", "told"),
    [
        ("image", b"another image", "another sha256"),
        ("absent", CONTENT, r"the download failed \(HTTPError\)"),
    ],
)
def test_something_else_or_nothing_is_refused(registry, server, output, page, content, told):
    with pytest.raises(InputError, match=told):
        fetch("image", output, registry(f"{server}/{page}.tif", content))
    assert left_behind(output) == []


def test_a_full_disk_is_no_failed_download(registry, output, monkeypatch):
    def retrieve(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(OSError, match="No space left"):
        fetch("image", output, registry())
    assert left_behind(output) == []


def test_without_internet_the_user_is_told_where_to_put_the_file(registry, output, run_script):
    path = registry()
    result = run_script("fetch_image.py", "image", output, "--registry", path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert all(text in result.stderr for text in (NO_URL, str(output), "ATOMSIGHT_DATA", sha256))
    assert left_behind(output) == []

    output.write_bytes(CONTENT)
    assert run_script("fetch_image.py", "image", output, "--registry", path).returncode == 0


def test_a_wrong_file_put_by_hand_is_refused_and_kept(registry, output):
    output.parent.mkdir()
    output.write_bytes(b"mine")
    with pytest.raises(InputError, match="sha256"):
        fetch("image", output, registry())
    assert output.read_bytes() == b"mine"


def test_the_mirror_is_taken_first_and_checked(registry, output, tmp_path, monkeypatch):
    copy = tmp_path / "image.tif"
    copy.write_bytes(b"damaged")
    monkeypatch.setenv("ATOMSIGHT_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"image\.tif: its sha256 is"):
        fetch("image", output, registry())
    assert left_behind(output) == []
    copy.write_bytes(CONTENT)
    fetch("image", output, registry())
    assert output.read_bytes() == CONTENT


def test_an_empty_mirror_leads_to_the_internet(registry, server, output, tmp_path):
    fetch("image", output, registry(f"{server}/image.tif"), mirror=tmp_path)
    assert output.read_bytes() == CONTENT


def test_an_unknown_name_lists_the_known_ones(output, run_script):
    result = run_script("fetch_image.py", "graphite", output)
    assert result.returncode == 1
    assert NAME in result.stderr
    assert "Traceback" not in result.stderr
    assert not output.exists()


def test_a_broken_registry_is_named(registry, output, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_registry(tmp_path / "absent.tsv")
    path = registry()
    path.write_text(path.read_text().replace("licence", "license"))
    with pytest.raises(InputError, match="the column licence is missing"):
        read_registry(path)
    path = registry()
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(InputError, match="a name occurs twice"):
        read_registry(path)


def test_the_real_image_is_the_one_of_the_registry(real_data, output):
    fetch(NAME, output, mirror=real_data)
    assert output.stat().st_size > 1_000_000
