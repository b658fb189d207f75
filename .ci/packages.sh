# Installs the packages that a command of ./dev needs, if the system is a Debian; on another system,
# names the programs and headers that are missing. Sourced by ./dev, after progress.sh.

needs_on_other_systems='a C++20 compiler, Meson, Ninja, pkg-config, Boost, CLI11, spdlog,
  nlohmann-json, ncurses for `chatserv top`, cpp-httplib 0.11 for --metrics, libnats for --join, on Linux libseccomp, and for the tests GoogleTest,
  for those of the suite bridge nats-server'

# install PACKAGE... : Debian's names. Calls no apt-get if all of them are installed.
install() {
    if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
        return 0 # not a Debian: see check_tools and say_what_is_missing
    fi
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
        *' installed') ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    choose_root $missing
    say "installing$missing (this needs the network)"
    show_progress_only 'reading the lists of packages' no_position \
        apt_get -o APT::Update::Error-Mode=any update ||
        say "./dev: apt-get update failed, see above (is there a network?); the old lists are used"
    # shellcheck disable=SC2086
    install_missing $missing
}

# install_missing PACKAGE...
install_missing() {
    # "0 upgraded, 61 newly installed, ..." and "Need to get 98.3 MB of archives."
    apt_get --assume-no install "$@" 2>/dev/null | sed -n \
        -e 's/.* \([0-9]*\) newly installed.*/  with their dependencies: \1 packages/p' \
        -e 's/^Need to get \(.*\) of archives.*/  to download: \1/p' \
        -e 's/^After this operation, \(.*\) of additional.*/  on the disk: \1/p' >&2
    if ! show_progress_only installing apt_position apt_get -y install "$@"; then
        say "./dev: apt-get could not install these packages, see above: $*"
        exit 69
    fi
}

# apt_get ARGUMENT... : sudo passes no environment on, so env sets it.
apt_get() {
    as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive ${RUNLEVEL+RUNLEVEL="$RUNLEVEL"} \
        apt-get -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

# apt_position LOG
apt_position() {
    awk '/ newly installed, / { total = $1 + $3 }
         /^Get:/ { fetched++ }
         /^Unpacking / { unpacked++ }
         /^Setting up / { set_up++ }
         END { if (unpacked >= total && set_up) print "set up " set_up " of " total
               else if (unpacked) print "unpacked " unpacked " of " total
               else if (fetched) print "downloaded " fetched " of " total }' "$1"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# choose_root PACKAGE... : if this user cannot become root, says what root has to do, and exits.
choose_root() {
    if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
        return 0
    fi
    if command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
        say "root's rights are needed to install packages: sudo may ask for your password"
        ! sudo -v || return 0
    fi
    say "./dev: these packages are missing, and only root can install them: $*"
    say "./dev: run this as root, and ./dev again: apt-get update && apt-get install -y $*"
    exit 69
}

# Called before meson, for systems on which install() does nothing.
check_tools() {
    missing=
    for tool in meson ninja; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    command -v "${CXX:-c++}" >/dev/null 2>&1 || missing="$missing ${CXX:-c++}"
    command -v pkg-config >/dev/null 2>&1 || command -v pkgconf >/dev/null 2>&1 ||
        missing="$missing pkg-config"
    [ -n "$missing" ] || return 0
    say "./dev: these programs are missing:$missing"
    say "./dev: chatserv needs $needs_on_other_systems"
    exit 69
}

# Called when meson has failed: meson names only the first dependency that is missing.
say_what_is_missing() {
    missing=
    for header in boost/version.hpp CLI/CLI.hpp spdlog/spdlog.h nlohmann/json.hpp; do
        has_header "$header" || missing="$missing $header"
    done
    [ "$(uname)" != Linux ] || has_header seccomp.h || missing="$missing seccomp.h"
    has_header gtest/gtest.h || missing="$missing gtest/gtest.h (for the tests)"
    [ -z "$missing" ] || say "./dev: the compiler does not find these headers:$missing"
    say "./dev: chatserv needs $needs_on_other_systems"
}

has_header() {
    printf '#include <%s>\n' "$1" |
        "${CXX:-c++}" -std=c++20 -I/usr/local/include -fsyntax-only -x c++ - 2>/dev/null
}
