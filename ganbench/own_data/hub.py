"""A data set of the library `datasets`: from the Hugging Face hub, or saved in a folder. The library is an extra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganbench.errors import Unavailable, UsageError
from ganbench.own_data.folder import decoded
from ganbench.own_data.samples import Picture, Samples, gathered
from ganbench.own_data.source import Source


class Hub:
    """Reads one split of a data set; only its columns are read, none of its code is run."""

    def __init__(self, source: Source) -> None:
        self.source, self.further = source, dict(source.further)
        self.what = source.place if not Path(source.place).exists() else Path(source.place).name
        self.table = self._table()

    def listing(self) -> Mapping[str, Any]:
        """The library's fingerprint of the content; empty where it has none."""
        fingerprint = getattr(self.table, "_fingerprint", None)
        return {"fingerprint": fingerprint} if fingerprint else {}

    def read(self) -> Samples:
        """Every picture, still encoded until it is checked here."""
        import datasets

        image = self._column("image", datasets.Image)
        label = self._column("label", datasets.ClassLabel) if self.source.labels else None
        if image is None or not isinstance(self.table.features[image], datasets.Image):
            columns = ", ".join(f"{name} ({type(kind).__name__})" for name, kind in self.table.features.items())
            raise UsageError(f"{self.what}: {image or 'no column'} holds no images; there are: {columns}")
        names = getattr(self.table.features[label], "names", None) if label else None
        table = self.table.cast_column(image, datasets.Image(decode=False))
        return gathered(self._pictures(table, image, label, names), self.source, names=names)

    def _pictures(self, table: Any, image: str, label: str | None, names: Any) -> Iterator[Picture | str]:
        for at, row in enumerate(table):
            group = None if label is None or row[label] is None else row[label]
            if names is not None and isinstance(group, int):
                group = names[group] if 0 <= group < len(names) else None
            if label is not None and group is None:
                yield f"{self.what}, row {at}: has no class"
                continue
            try:
                data = row[image]["bytes"]
                if data is None:
                    data = self._file(row[image]["path"]).read_bytes()
                pixels, digest = decoded(data, f"{self.what}, row {at}", self.source.shaping)
            except UsageError as error:
                yield str(error)
            except (OSError, TypeError, KeyError):
                yield f"{self.what}, row {at}: has no picture"
            else:
                yield Picture(pixels, digest, None if group is None else str(group))

    def _file(self, named: str) -> Path:
        """A picture that a table only names: of the library's cache or beside the data set, nowhere else."""
        from datasets import config

        file = Path(named).resolve()
        homes = [config.HF_CACHE_HOME, config.HF_DATASETS_CACHE]
        homes += [self.source.place] if Path(self.source.place).is_absolute() else []
        if not any(file.is_relative_to(Path(home).resolve()) for home in homes):
            raise FileNotFoundError(named)
        return file

    def _column(self, key: str, kind: Any) -> str | None:
        """The column that the suite names, else the first of this type."""
        features = self.table.features
        if wanted := self.further.get(key):
            if wanted not in features:
                raise UsageError(f"{self.what}: no column '{wanted}'; there are: {', '.join(features)}")
            return wanted
        return next((name for name, feature in features.items() if isinstance(feature, kind)), None)

    def _table(self) -> Any:
        try:
            import datasets
        except ImportError:
            raise UsageError(
                "huggingface data needs the package datasets; install the extra: pip install 'ganbench[huggingface]'"
            ) from None
        part, place = self.further.get("part", "train"), Path(self.source.place)
        datasets.disable_progress_bars()
        try:
            if (place / "state.json").is_file() or (place / "dataset_dict.json").is_file():
                found = datasets.load_from_disk(str(place))
                found = found[part] if isinstance(found, datasets.DatasetDict) else found
            else:
                config, revision = self.further.get("config"), self.further.get("revision")
                found = datasets.load_dataset(self.source.place, config, split=part, revision=revision)
        except (OSError, ConnectionError) as error:
            raise Unavailable(
                f"huggingface data {self.what}: {_first(error)}; mend the connection or the name, or give a folder "
                "that save_to_disk wrote"
            ) from None
        except Exception as error:  # the library raises many kinds; each is about what the suite asked for
            raise UsageError(f"huggingface data {self.what}: {type(error).__name__}: {_first(error)}") from None
        if not isinstance(found, datasets.Dataset):
            raise UsageError(f'huggingface data {self.what}: is no single table; say part = "train"')
        return found


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
