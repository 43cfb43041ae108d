"""Layout analysis as a problem: from page images to their lines and regions."""

from dataclasses import replace
from typing import cast

from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import read_group
from uncial.config.schema import list_trusted
from uncial.data.augmentation.page import build_page_augmentation
from uncial.data.pages.datamodule import PageDataModule, build_page_sampler
from uncial.data.splits.split_file import COLUMNS
from uncial.errors import UserError
from uncial.models.segmenter import Scale, Segmenter
from uncial.problems.layout.finding import find_layouts
from uncial.problems.layout.ground_truth import PageTruth, compute_fingerprint, list_split_rows, load_pages
from uncial.problems.layout.metric import BETTER_ENDS, LayoutBatchMetric
from uncial.problems.layout.outcome import build_outcome
from uncial.problems.layout.pretrained import (
    build_pretrained_segmenter,
    is_foreign,
    load_segmenter,
    set_pretrained_layout,
)
from uncial.problems.layout.scoring import LayoutWriter, finish_training, score_segmenter
from uncial.problems.layout.setup import (
    build_card,
    build_loading,
    build_new_segmenter,
    build_segmenter,
    build_training_pages,
    build_whole_pages,
    check_parts,
    describe_pages,
    list_region_types,
    make_example,
    measure_scale,
    read_region_types,
    warn_about_known_pages,
)
from uncial.problems.pretrained import build_lineage, list_seen_before
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

    def complete(self, config: DictConfig) -> DictConfig:
        return set_pretrained_layout(config)

    def check(self, config: DictConfig) -> None:
        monitor = str(config.model.monitor)
        if monitor.removeprefix("val/") not in BETTER_ENDS:
            known = ", ".join(f"val/{name}" for name in BETTER_ENDS)
            raise UserError(f"model.monitor={monitor}: the validation gives {known}; choose one of them.")
        read_region_types(config)
        build_page_augmentation(read_group(config, "augmentation"), int(config.data.channels))
        model = build_segmenter(config, (), Scale(40.0, 50.0, 60.0))
        check_training(config, model, self.metric, config.trainer.pages_seen)

    def load(self, run: RunSession) -> PageTruth:
        # The file of another program says nothing of the pages that its model was trained on.
        alone = (
            cast(DictConfig, OmegaConf.merge(run.config, {"pretrained": None}))
            if is_foreign(run.config)
            else run.config
        )
        return load_pages(run.config, choose_training_split(replace(run, config=alone)))

    def fingerprint(self, truth: PageTruth) -> dict[str, str]:
        return compute_fingerprint(truth)

    def setup(self, run: RunSession, truth: PageTruth) -> Setup:
        config, path = run.config, run.state.path if run.state else None
        check_parts(truth)
        is_known = path is not None or not is_foreign(config)
        before = list_seen_before(config, path) if is_known else []
        if run.state is None:
            types = list_region_types(truth, read_region_types(config))
            build = build_new_segmenter if config.pretrained is None else build_pretrained_segmenter
            model = build(config, types, measure_scale(truth))
        else:
            model = load_segmenter(run.state.path, list_trusted(config))[0].train()
        devices = count_batch_devices(run)
        training = build_training_pages(config, truth, model)
        validation = build_whole_pages(config, truth, "val")
        loading = build_loading(config, devices)
        if is_rank_zero():
            write_csv(RunFolder(run.folder).splits, COLUMNS, list_split_rows(truth))
            write_skipped(RunFolder(run.folder).skipped, truth.problems)
            if path is None:
                warn_about_known_pages(truth, before, config.pretrained)
        card = build_card(config, truth, build_lineage(config, path) if is_known else [], before)
        return Setup(
            model=model,
            datamodule=PageDataModule(training, {"val": validation}, loading, config.seed, read_position),
            metric=self.metric,
            writer=LayoutWriter(run.folder, model, card, self.metric),
            num_samples=len(training),
            num_batches=len(build_page_sampler(len(training), loading, config.seed)),
            skipped=len(truth.problems),
            name_sample=lambda row: str(truth.store.value(row, "page")),
            headline=("f_measure", "intact"),
            sample="page",
            told=("f_measure", "precision", "recall", "intact", "merged", "split", "missed", "region_iou", "loss"),
            facts=describe_pages(truth, training, model),
            test_samples=len(truth.rows["test"]),
            make_example=lambda: make_example(validation),
            samples_seen=config.trainer.pages_seen,
        )

    def report(self, run: RunSession, truth: PageTruth, setup: Setup, stats: TrainingStats) -> None:
        finish_training(run, truth, stats, setup.skipped)

    def outcome(self, run: RunSession, truth: PageTruth) -> Outcome:
        return build_outcome(run.config, run.folder, truth, "val")

    def test(self, config: DictConfig) -> None:
        score_segmenter(config)

    def predict(self, config: DictConfig) -> None:
        find_layouts(config)
