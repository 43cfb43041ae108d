"""Layout analysis as a problem: from page images to their lines and regions."""

from omegaconf import DictConfig

from uncial.config.schema import list_trusted
from uncial.data.pages.datamodule import PageDataModule, build_page_sampler
from uncial.data.splits.split_file import COLUMNS
from uncial.errors import UserError
from uncial.models.files import load_any_model
from uncial.models.segmenter import Scale, Segmenter
from uncial.problems.layout.finding import find_layouts
from uncial.problems.layout.ground_truth import PageTruth, compute_fingerprint, list_split_rows, load_pages
from uncial.problems.layout.metric import BETTER_ENDS, LayoutBatchMetric
from uncial.problems.layout.scoring import LayoutWriter, build_outcome, finish_training, score_segmenter
from uncial.problems.layout.setup import (
    build_card,
    build_loading,
    build_segmenter,
    build_training_pages,
    build_whole_pages,
    check_parts,
    describe_pages,
    list_region_types,
    make_example,
    measure_scale,
    read_region_types,
)
from uncial.problems.problem import Problem, Setup, TrainingStats, count_batch_devices
from uncial.problems.splitting import choose_training_split
from uncial.problems.trainer import check_training
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.runs.tables import write_csv, write_skipped
from uncial.training.checkpointing.loops import read_position
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Outcome


class LayoutAnalysis(Problem[PageTruth]):
    """Learns to find the lines and regions of the pages of `data`."""

    model_class = Segmenter

    def __init__(self) -> None:
        self.metric = LayoutBatchMetric()

    def check(self, config: DictConfig) -> None:
        monitor = str(config.model.monitor)
        if monitor.removeprefix("val/") not in BETTER_ENDS:
            known = ", ".join(f"val/{name}" for name in BETTER_ENDS)
            raise UserError(f"model.monitor={monitor}: the validation gives {known}; choose one of them.")
        read_region_types(config)
        model = build_segmenter(config, (), Scale(40.0, 50.0, 60.0))
        check_training(config, model, self.metric)

    def load(self, run: RunSession) -> PageTruth:
        return load_pages(run.config, choose_training_split(run))

    def fingerprint(self, truth: PageTruth) -> dict[str, str]:
        return compute_fingerprint(truth)

    def setup(self, run: RunSession, truth: PageTruth) -> Setup:
        config = run.config
        check_parts(truth)
        if run.state is None:
            types = list_region_types(truth, read_region_types(config))
            model = build_segmenter(config, types, measure_scale(truth))
        else:
            loaded = load_any_model(run.state.path, list_trusted(config))[0].train()
            assert isinstance(loaded, Segmenter)
            model = loaded
        devices = count_batch_devices(run)
        training = build_training_pages(config, truth, model)
        validation = build_whole_pages(config, truth, "val")
        loading = build_loading(config, devices)
        if is_rank_zero():
            write_csv(RunFolder(run.folder).splits, COLUMNS, list_split_rows(truth))
            write_skipped(RunFolder(run.folder).skipped, truth.problems)
        return Setup(
            model=model,
            datamodule=PageDataModule(training, {"val": validation}, loading, config.seed, read_position),
            metric=self.metric,
            writer=LayoutWriter(run.folder, model, build_card(config, truth), self.metric),
            num_samples=len(training),
            num_batches=len(build_page_sampler(len(training), loading, config.seed)),
            skipped=len(truth.problems),
            name_sample=lambda row: str(truth.store.value(row, "page")),
            headline=("f_measure", "intact"),
            facts=describe_pages(truth, training, model),
            test_samples=len(truth.rows["test"]),
            make_example=lambda: make_example(validation),
            samples_seen=config.trainer.pages_seen,
        )

    def report(self, run: RunSession, truth: PageTruth, setup: Setup, stats: TrainingStats) -> None:
        finish_training(run, truth, stats, setup.skipped)

    def outcome(self, run: RunSession, truth: PageTruth) -> Outcome:
        return build_outcome(run.folder, "val")

    def test(self, config: DictConfig) -> None:
        score_segmenter(config)

    def predict(self, config: DictConfig) -> None:
        find_layouts(config)
