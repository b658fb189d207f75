# Progress of commands that take long. On a terminal it is one line that is rewritten; in a log it
# is a line for each tenth of the work, and at least one every ten seconds. Sourced by ./dev.
#
# A position is a command that is given the log of the work so far and prints how far that is, for
# example "60 of 87". It may print nothing.

say() {
    printf '%s\n' "$*" >&2
}

# Whether somebody watches: where either output goes elsewhere (a log, tee), lines are whole.
on_terminal() {
    [ -t 1 ] && [ -t 2 ]
}

# show_progress WORDS POSITION COMMAND... : runs the command, which prints for itself too, and whose
# status this returns. The log that POSITION is given is empty.
show_progress() (
    begin_progress "$1" "$2"
    shift 2
    status=0
    "$@" || status=$?
    end_progress
    exit "$status"
)

# show_progress_only WORDS POSITION COMMAND... : the same for a command whose output nobody needs
# unless it fails. Then all of it is printed.
show_progress_only() (
    begin_progress "$1" "$2"
    shift 2
    status=0
    "$@" >"$progress/log" 2>&1 </dev/null || status=$?
    end_progress
    [ "$status" = 0 ] || cat "$progress/log" >&2
    exit "$status"
)

# begin_progress WORDS POSITION : to be called in a subshell, at whose end what this made is removed.
begin_progress() {
    progress=$(mktemp -d)
    trap 'rm -rf "$progress"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    : >"$progress/log"
    : >"$progress/goes_on"
    print_progress "$1" "$2" &
    printer=$!
}

# A signal to a process that has only just been forked can be lost: it looks at the file as well.
end_progress() {
    rm -f "$progress/goes_on"
    kill "$printer" 2>/dev/null || true
    wait "$printer" 2>/dev/null || true
    ! on_terminal || printf '\r\033[K' >&2
}

# print_progress WORDS POSITION : in the background. It ends with this script, however that ends.
print_progress() {
    began=$(date +%s)
    last=$began
    tenths=0
    while sleep 1 >/dev/null 2>&1 && [ -e "$progress/goes_on" ] && kill -0 $$ 2>/dev/null; do
        now=$(date +%s)
        at=$("$2" "$progress/log")
        line="  $1:${at:+ $at,} $((now - began)) s"
        if on_terminal; then
            printf '\r\033[K%s' "$line" >&2
            continue
        fi
        tenths_now=$(tenths_of "$at")
        if [ "$tenths_now" -gt "$tenths" ] || [ $((now - last)) -ge 10 ]; then
            say "$line"
            last=$now
            tenths=$tenths_now
        fi
    done
}

# tenths_of POSITION : of "60 of 87", 6; of anything else, 0.
tenths_of() {
    whole=${1##* of }
    so_far=${1% of *}
    so_far=${so_far##* }
    case $so_far/$whole in
    *[!0-9/]* | /* | */ | */0) echo 0 ;;
    *) echo $((so_far * 10 / whole)) ;;
    esac
}

no_position() {
    :
}

# ninja_position LOG
ninja_position() {
    tail -c 10000 "$1" | sed -n 's/^\[\([0-9]*\)\/\([0-9]*\)\] .*/\1 of \2/p' | tail -n 1
}
