"""Options that travel together are one value: a ``Value`` whose fields are the options.

Typer knows parameters only, one for each option. A command says which groups it takes, and gets each as a
value. A group whose options are not simply its fields has ``parameters`` and ``of``.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from geocli.model.value import Value

_T = TypeVar("_T")


def with_groups(command: Callable[..., _T]) -> Callable[..., _T]:
    """Let parameters that are annotated with a ``Value`` be the options that its fields are.

    Example: ``def lookup(ctx, form: FormOptions)`` is for Typer ``def lookup(ctx, json, csv, ...)``.
    """
    groups: dict[str, tuple[Any, list[str]]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        group: Any = parameter.annotation
        if isinstance(group, type) and issubclass(group, Value):
            options = parameters_of(group)
            groups[parameter.name] = group, [option.name for option in options]
            parameters += options
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**values: Any) -> _T:
        for name, (group, options) in groups.items():
            given = {option: values.pop(option) for option in options}
            values[name] = group.of(given) if hasattr(group, "of") else group(**given)
        return command(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect looks for it
    run.__annotations__ = {}  # Typer takes those of the signature, but would evaluate these first, twice
    return run


def parameters_of(group: Any) -> list[inspect.Parameter]:
    """Return the options of a group, as parameters for Typer."""
    if hasattr(group, "parameters"):
        own: list[inspect.Parameter] = group.parameters()
        return own
    annotations = inspect.get_annotations(group)
    return [option(name, annotations[name], group._field_defaults[name]) for name in group._fields]


def option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Return one option as a parameter."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
