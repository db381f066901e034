"""Compiles the native kernels when the wheel is built, or the checkout is installed as editable.

Where there is no C++ compiler, or no jaxlib for its headers, the wheel is one of plain Python:
everything works, but slower.
"""

import importlib.util
import platform
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGE = "src/bakeoff/training/native"
_INSTALLED = "bakeoff/training/native/lib"


class NativeKernels(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Adds the compiled library to the wheel, for all versions of Python and one platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; in an editable installation, into the checkout itself."""
        if self.target_name != "wheel":
            return
        build = _build_module(Path(self.root) / _PACKAGE / "build.py")
        folder = build.FOLDER
        if version != "editable":
            self._scratch = tempfile.TemporaryDirectory(prefix="bakeoff-kernels-")
            folder = Path(self._scratch.name)
        try:
            errors = build.build(folder)
        except OSError as error:
            errors = {"native": str(error)}
        for name, reason in errors.items():
            self.app.display_warning(f"Bakeoff's native kernels, {name}: {reason}")
        built = build.read_manifest(folder).get("files")
        if not built:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"
        if version != "editable":
            for name in (*(f"{each}.so" for each in built), build.MANIFEST):
                build_data["force_include"][str(folder / name)] = f"{_INSTALLED}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled for the wheel."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def _build_module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("bakeoff_native_build", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _platform() -> str:
    """Return the platform's tag: linux_x86_64, macosx_11_0_arm64 …; auditwheel refines it."""
    name = sysconfig.get_platform()
    if platform.system() == "Darwin":
        name = f"macosx-11.0-{platform.machine()}"
    return name.replace("-", "_").replace(".", "_")
