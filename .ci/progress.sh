# Progress of commands that take long. On a terminal it is one line that is rewritten; in a log it
# is a line for each tenth of the work, and at least one every ten seconds. Sourced by ./dev.
#
# A position is a command that is given the log of the work so far and prints how far that is, for
# example "60 of 87". It may print nothing.

say() {
    printf '%s\n' "$*" >&2
}

# Whether a line may be rewritten in place. If one of the two outputs goes to a file or a pipe, as
# with tee(1), only whole lines are printed.
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

# show_progress_only WORDS POSITION COMMAND... : the same, but the command's output goes to the log.
# If the command fails, all of it is printed.
show_progress_only() (
    begin_progress "$1" "$2"
    shift 2
    status=0
    "$@" >"$progress/log" 2>&1 </dev/null || status=$?
    end_progress
    [ "$status" = 0 ] || cat "$progress/log" >&2
    exit "$status"
)

# begin_progress WORDS POSITION : call it in a subshell, which removes the log when it ends.
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

# A process that has only just been forked can lose a signal: the printer looks at a file as well.
end_progress() {
    rm -f "$progress/goes_on"
    kill "$printer" 2>/dev/null || true
    wait "$printer" 2>/dev/null || true
    ! on_terminal || printf '\r\033[K' >&2
}

# print_progress WORDS POSITION : runs in the background, and ends when this script has ended.
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
