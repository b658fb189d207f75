# clang-tidy, which takes about ten seconds of a processor for each file. Sourced by ./dev.

# lint [all | FILE...] : by default, the files that differ from the main branch.
lint() {
    if [ "${1-}" = all ]; then
        files=$(find master worker bridge shared -name '*.cpp' | sort | skip_other_systems)
    elif [ $# -gt 0 ]; then
        files=$(printf '%s\n' "$@" | as_compiled)
    else
        choose_base
        files=$(changed_files | as_compiled)
    fi
    total=$(printf '%s' "$files" | grep -c . || true)
    say "clang-tidy ($total files)"
    [ "$total" -gt 0 ] || return 0
    # Each file is named as it is begun. What is found ends clang-tidy with an error; what it says
    # otherwise is the number of warnings in the system's headers.
    # shellcheck disable=SC2016
    printf '%s\n' "$files" | xargs -n 1 -P "$(nproc)" sh -c \
        'echo "  clang-tidy $1"
         said=$(clang-tidy -p build-clang --quiet "$1" 2>&1) || { echo "$said"; exit 1; }' lint
}

# On the main branch itself, and without one, the last commit stands for the change.
choose_base() {
    base=
    for branch in origin/main main HEAD~1; do
        base=$(git merge-base HEAD "$branch" 2>/dev/null) || continue
        [ "$base" = "$(git rev-parse HEAD)" ] || break
    done
    if [ -z "$base" ]; then
        say "./dev: git knows no earlier commit to compare with; ./dev lint all looks at every file"
        return 0
    fi
    say "comparing with commit $(git rev-parse --short "$base")"
}

# Includes what is not committed yet, and new files.
changed_files() {
    [ -z "$base" ] || git diff --name-only --diff-filter=d "$base" -- master worker bridge shared
    git ls-files --others --exclude-standard -- master worker bridge shared 2>/dev/null || true
}

# as_compiled : of the files that it reads, prints those that are compiled. A header is looked at with
# the source of the same name or, if there is none, with one that includes the header.
as_compiled() {
    while read -r file; do
        case $file in
        *.cpp) [ ! -f "$file" ] || echo "$file" ;;
        *.h)
            if [ -f "${file%.h}.cpp" ]; then
                echo "${file%.h}.cpp"
            else
                grep -rl --include='*.cpp' "#include \"$file\"" "${file%/*}" master worker bridge shared |
                    head -n 1
            fi
            ;;
        esac
    done | sort -u | skip_other_systems
}

# skip_other_systems : clang-tidy has no command by which a file of another system is compiled.
skip_other_systems() {
    while read -r file; do
        if grep -q "$file\"" build-clang/compile_commands.json; then
            echo "$file"
        else
            say "  skipped, not compiled on this system: $file"
        fi
    done
}
