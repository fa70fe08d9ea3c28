"""Where files are, as rules name them: in the working folder, or else in this repository."""

from dataclasses import dataclass
from pathlib import Path

from atomsight.orchestration.source_files import source_files


@dataclass(frozen=True)
class Folders:
    """The folder that Snakemake runs in, and the repository that the workflow is part of."""

    repository: Path
    working: Path

    def located(self, path: str) -> str:
        """A path as it stands in the working folder, or else in the repository."""
        return path if (self.working / path).exists() else str(self.repository / path)

    def named(self, path: Path) -> str:
        """A path as rules name it: relative where it lies in the working folder."""
        path = self.working / path
        inside = path.is_relative_to(self.working)
        return str(path.relative_to(self.working) if inside else path)

    def code(self, script: str, *modules: str) -> list[str]:
        """A script and the modules of the library it needs, so that an edit of one reruns the rule.

        ``modules`` are files that the script imports by a name that is known only when it runs,
        relative to the folder of the scripts.
        """
        scripts = self._scripts
        return [
            self.named(path)
            for path in source_files(scripts / script, *map(scripts.joinpath, modules))
        ]

    def script(self, name: str) -> str:
        """A script alone, for what no edit remakes: one file, however many the jobs."""
        return self.named(self._scripts / name)

    @property
    def _scripts(self) -> Path:
        return self.repository / "workflow" / "scripts"
