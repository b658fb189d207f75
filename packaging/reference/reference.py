"""The reference of options and commands: what chatserv-reference prints, and the help of each
command."""
import json
import re
import subprocess

import command_help

WORDS = re.compile(r"^[a-z]+(?:, [a-z]+)* or [a-z]+$")


class Reference:
    def __init__(self, reference_program, chatserv):
        read = json.loads(_output_of(reference_program))
        self.options = read["options"]
        self.flags = read["flags"]
        self.commands = read["commands"]
        self.listen_forms = read["listen_forms"]
        # "version" and "help" have no options of their own.
        self.helps = {command["name"]: command_help.parse(_output_of(chatserv, "help", command["name"]))
                      for command in self.commands if command["name"] not in ("version", "help")}


ON_RELOAD = {"takes": "yes", "takes_to_room": "up to the value at the start",
             "takes_to_table": "up to 4, one per usable core, or the value at the start",
             "keeps": "no: restart"}


def reload_sentence(option):
    """What a reload does with a new value of the option."""
    return {"takes": "A reload takes a new value.",
            "takes_to_room": "A reload takes a new value, up to that with which the server was started.",
            "takes_to_table": "A reload takes a new value, up to 4, to one per usable core or to that with "
                              "which the server was started, whichever is the most.",
            "keeps": "A new value needs a restart."}[option["on_reload"]]


def words_of(option):
    """The words that an option allows; none if its values are not words."""
    allowed = option["allowed"]
    return re.split(r", | or ", allowed) if WORDS.match(allowed) else []


def sentence(text):
    return text if text.endswith(".") else text + "."


def _output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          encoding="utf-8").stdout
