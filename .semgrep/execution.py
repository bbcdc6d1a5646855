"""What the rules of execution.yml find, and what they leave alone."""

import os
import pickle
import shutil
import subprocess
import tarfile

import yaml


def run(name, text, archive):
    # ruleid: words-for-a-shell
    subprocess.run(f"ls {name}", shell=True)
    # ruleid: words-for-a-shell
    os.system("ls " + name)
    # ok: words-for-a-shell
    subprocess.run(["ls", name], check=True)
    # ruleid: data-that-runs
    pickle.loads(text)
    # ruleid: data-that-runs
    yaml.load(text)
    # ruleid: data-that-runs
    eval(text)
    # ok: data-that-runs
    yaml.load(text, Loader=yaml.SafeLoader)
    # ruleid: archive-unpacked-as-it-says
    tarfile.open(archive).extractall("/tmp/x")
    # ruleid: archive-unpacked-as-it-says
    shutil.unpack_archive(archive)
