"""Makes the tables of docs/operating.md. They are part of the page, between two comments, so that the
page can be read anywhere; a test compares them with the program."""
import re

from reference import ON_RELOAD, sentence


def tables(reference):
    return {"options": _options(reference), "listen": _listen_forms(reference)}


def with_tables(page, reference):
    """The page with its tables replaced by those of the reference."""
    for name, table in tables(reference).items():
        page = re.sub(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)",
                      lambda match, table=table: match[1] + table + match[2], page, flags=re.DOTALL)
    return page


def _options(reference):
    rows = "".join(
        f"| `--{option['name']} {option['type']}` | {option['default']} "
        f"| {ON_RELOAD[option['on_reload']]} | {_about(option)} |\n"
        for option in reference.options)
    for flag in reference.flags:
        forms = ([f"`-{flag['letter']}`"] if flag["letter"] else []) + [
            f"`--{flag['name']}{' ' + flag['type'] if flag['type'] else ''}`"]
        rows += f"| {', '.join(forms)} | | | {sentence(flag['help']).replace(' (see below)', '')} |\n"
    return "| option | default | reload | meaning |\n|---|---|---|---|\n" + rows


def _about(option):
    allowed = "" if option["name"] in ("listen", "metrics") else f" ({option['allowed']})"
    about = sentence(option["help"].rstrip(".") + allowed)
    if option["repeats"]:
        about += " May be repeated, or take several values separated by commas."
    return f"{about} {option['more']}".strip()


def _listen_forms(reference):
    rows = "".join("| {} | {} |\n".format(
        f"`{each['form']}`" if " only" in each["form"] or '"' in each["form"]
        else ", ".join(f"`{form}`" for form in each["form"].split(", ")), each["meaning"])
        for each in reference.listen_forms)
    return "| `--listen` | listens on |\n|---|---|\n" + rows
