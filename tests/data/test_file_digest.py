"""The digest that says whether a file is the one that it was."""

from autotl.data.file_digest import sha256_of


def test_the_digest_is_that_of_the_standard_and_follows_the_content(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert sha256_of(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    file.write_bytes(b"abd")
    assert sha256_of(file) != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
