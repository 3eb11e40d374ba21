"""What pydantic finds wrong in a file of ours, in one line."""

from pydantic import ValidationError

from edge.errors import SettingsError


def first_fault(error: ValidationError, *, where: str) -> SettingsError:
    """Return the first fault with its dotted key, and how many more there are.

    Args:
        error: What the check raised.
        where: The file.
    """
    first, others = error.errors(include_url=False)[0], error.error_count() - 1
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        message = "unknown key; check its spelling"
    elif first["type"] == "missing":
        message = "missing, and there is no default for it"
    else:
        message = str(first["msg"]).removeprefix("Value error, ")
    more = f" (and {others} more)" if others else ""
    return SettingsError(f"{message}{more}", key=f"{where}: {key}" if key else where)
