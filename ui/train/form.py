"""The form of the Train page: fields that read and write the draft, which lives in the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from mfcore.registry import DATASETS, MODELS
from mfcore.runs import PRESETS
from mfcore.settings import GROUPS, SETTINGS, Setting, chosen
from mfcore.training.device import available_devices
from ui.address import of_browser
from ui.datasets import data_at_hand, dataset_choices
from ui.format import escape_markdown
from ui.projector import with_projector
from ui.state import current_run, forget, recall, remember, requested_run_id
from ui.train.draft import (
    Draft,
    also_changed,
    also_changed_words,
    change,
    draft_of,
    first_draft,
    from_query,
    rate_words,
    to_query,
    without_followers,
)

_DRAFT, _WRITTEN, _EDITED, _FOLLOWED = "train_draft", "train_written", "train_edited", "train_followed_by"
_FOLLOWERS = 4
"""Settings named in the line about what followed a choice; the rest is counted, and told on hover."""


# --- draft and address -----------------------------------------------------------------------------------------------


def read_draft() -> tuple[Draft, list[str]]:
    """The draft of this rerun, and parameters of the address that nobody knows.

    After a field was changed here the session's draft is newer than the address the browser sent along. Otherwise the
    address wins if it is not the one we wrote last: it is a fresh link, a reload, or the back button.
    """
    query = st.query_params.to_dict()
    asked, strangers = from_query(query)
    draft: Draft | None = recall(_DRAFT)
    edited = recall(_EDITED, False)
    forget(_EDITED)
    if draft is not None and (edited or _address(query) == recall(_WRITTEN)):
        return draft, strangers
    if asked is None:
        run = current_run() if requested_run_id() else None
        asked = draft_of(run.config) if run and not run.unread else (draft or first_draft(data_here=data_at_hand()))
    return asked, strangers


def write_draft(draft: Draft) -> None:
    """Keep the draft, and put it into the address beside the run that is shown."""
    remember(_DRAFT, draft)
    run = requested_run_id()
    wanted = with_projector({**to_query(draft), **({"run": run} if run else {})})
    if _address(st.query_params.to_dict()) != _address(wanted):
        st.query_params.from_dict(wanted)
    remember(_WRITTEN, _address(wanted))


def edit(key: str, value: str) -> None:
    """Change one setting of the draft; to be called from a widget's callback."""
    draft: Draft | None = recall(_DRAFT)
    if draft is not None:
        changed = change(draft, key, value)
        remember(_FOLLOWED, (key, draft, changed))
        keep(changed)


def followed_line(draft: Draft) -> None:
    """What followed the last choice, with a way to take it back; nothing where nothing did, or more was changed since."""
    key, before, after = recall(_FOLLOWED) or ("", draft, draft)
    followed = also_changed(before, after, key) if key and draft == after else {}
    if not followed:
        return
    alone = without_followers(before, after, key)
    with st.container(horizontal=True, vertical_alignment="center", key="train_followed"):
        brief, whole = also_changed_words(followed, _FOLLOWERS), also_changed_words(followed)
        st.caption(escape_markdown(brief), width="stretch", help=escape_markdown(whole) if brief != whole else None)
        st.button(
            "Undo",
            key="train_undo",
            type="tertiary",
            icon=":material/undo:",
            help=f"As it was, with nothing but {SETTINGS[key].in_sentence} changed."
            if alone != before
            else f"As it was before {SETTINGS[key].in_sentence} was changed: the rest cannot stay without it.",
            on_click=keep,
            args=(alone,),
        )


def newest_draft() -> Draft:
    """The draft as it is on screen, for a button's callback: with a field that was typed in right before the click.

    Streamlit may hand over both at once, and in either order.
    """
    draft: Draft = recall(_DRAFT)
    if not recall(_EDITED, False):
        for key in draft:
            value = recall(_widget(key))
            if key != "preset" and isinstance(value, str) and value.strip() != draft[key]:
                draft = change(draft, key, value.strip())
    return draft


def keep(draft: Draft) -> None:
    """Take a whole draft; to be called from a widget's callback."""
    remember(_DRAFT, draft)
    remember(_EDITED, True)


def _address(query: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in query.items() if not of_browser(key)))


# --- fields ----------------------------------------------------------------------------------------------------------


def main_fields(draft: Draft) -> None:
    """What is always in view: start, dataset, model, optimizer, learning rate, device."""
    _preset_field(draft)
    _select(draft, SETTINGS["dataset"], dataset_choices())
    _model_field(draft)
    left, right = st.columns(2, gap="small", wrap=False)
    said = ""
    with left:
        _field(draft, SETTINGS["optimizer"])
    with right:
        if not SETTINGS["learning_rate"].idle(chosen(draft)):
            label, path = rate_words(draft)
            _text(draft, "learning_rate", label, SETTINGS["learning_rate"].help)
            said = path
    if said:
        st.caption(said)
    devices = {d.name: d.label if d.available else f"{d.label}: absent, {d.reason}" for d in available_devices()}
    _select(draft, SETTINGS["device"], devices)


def more_fields(draft: Draft) -> None:
    """Everything else, folded away, and only what matters for the choices made."""
    asked = chosen(draft)
    for group in GROUPS:
        shown = [setting for setting in SETTINGS.values() if setting.group == group and not setting.idle(asked)]
        with st.expander(group):
            if group == SETTINGS["loss"].group:
                _dataset_options(draft)
            wide = [setting for setting in shown if setting.key == "loss"]
            for setting in wide:
                _field(draft, setting)
            _in_pairs(draft, [setting for setting in shown if setting not in wide])


def _in_pairs(draft: Draft, settings: list[Setting]) -> None:
    for index in range(0, len(settings), 2):
        for column, setting in zip(st.columns(2, gap="small", wrap=False), settings[index : index + 2], strict=False):
            with column:
                _field(draft, setting)


def _dataset_options(draft: Draft) -> None:
    entry = DATASETS.get(draft["dataset"])
    options = entry.options if entry else {}
    for index in range(0, len(options), 2):
        pair = list(options.items())[index : index + 2]
        for column, (name, option) in zip(st.columns(2, gap="small", wrap=False), pair, strict=False):
            key = f"dataset.{name}"
            with column:
                _text(draft, key, name.replace("_", " ").capitalize(), option.help, shown=draft.get(key, f"{option.default:g}"))


def _field(draft: Draft, setting: Setting) -> None:
    options = _folds(draft) if setting.key == "fold" else setting.options()
    if options is None:
        _text(draft, setting.key, setting.label, setting.help)
    else:
        _select(draft, setting, options)


def _folds(draft: Draft) -> dict[str, str]:
    entry = DATASETS.get(draft["dataset"])
    return {str(fold): str(fold) for fold in range(1, (entry.num_folds if entry else 0) + 1)}


def _model_field(draft: Draft) -> None:
    setting, options = SETTINGS["model"], MODELS.titles(short=True)
    known = draft["model"] if draft["model"] in options else None
    spelled = "; ".join(f"**{spec.short}** {spec.title}" for spec in MODELS.values() if spec.short)
    st.segmented_control(
        setting.label,
        list(options),
        format_func=options.__getitem__,
        default=known,
        key=_put("model", known),
        help=f"{setting.help} {spelled}.",
        required=known is not None,
        on_change=_changed,
        args=("model",),
        width="stretch",
    )


def _preset_field(draft: Draft) -> None:
    words = {name: preset.title + (" (bad on purpose)" if preset.kind == "bad" else "") for name, preset in PRESETS.items()}
    names, chosen_one = ["", *words], draft["preset"] if draft["preset"] in words else ""
    st.selectbox(
        "Start from",
        names,
        index=names.index(chosen_one),
        format_func=lambda name: words.get(name, "Own settings"),
        key=_put("preset", chosen_one),
        help="A complete choice of settings to begin with: good ones, bad ones worth watching, and some from the literature.",
        on_change=_take_preset,
    )


def _take_preset() -> None:
    from mfcore.runs import preset_config

    name = recall(_widget("preset"))
    if name in PRESETS:
        keep(draft_of(preset_config(name)))


def _select(draft: Draft, setting: Setting, options: Mapping[str, str]) -> None:
    key, known = setting.key, draft[setting.key] in options
    st.selectbox(
        setting.label,
        list(options),
        format_func=options.__getitem__,
        key=_put(key, draft[key] if known else None),
        # An unknown value (from a hand-written link) leaves the field empty; the line under Train says what is wrong.
        index=list(options).index(draft[key]) if known else None,
        placeholder=f"{draft[key]}?",
        help=setting.help,
        on_change=_changed,
        args=(key,),
    )


def _text(draft: Draft, key: str, label: str, help: str, shown: str | None = None) -> None:
    value = draft[key] if shown is None else shown
    st.text_input(label, value, key=_put(key, value), help=help or None, on_change=_changed, args=(key,))


def _widget(key: str) -> str:
    return f"train_{key.replace('.', '_')}"


def _put(key: str, value: str | None) -> str:
    """Bring the widget in line with the draft, touching it only where it differs: half-typed text elsewhere stays.

    The widget has the same value as its default too: where a rerun comes before the browser has drawn it, what was put here is
    not told again, and the field would be drawn empty and sent back so.
    """
    widget = _widget(key)
    if recall(widget) != value:
        remember(widget, value)
    return widget


def _changed(key: str) -> None:
    value = recall(_widget(key))
    if value is not None:
        edit(key, str(value).strip())
