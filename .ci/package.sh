# Builds Debian's package. Sourced by ./dev, after progress.sh.

# build_package DIRECTORY : the packages are left there. What is in the working tree is built, without
# the other builds.
build_package() {
    directory=$1
    rm -rf "$directory"
    mkdir -p "$directory/chatserv"
    tar --exclude=./.git --exclude='./build*' -cf - . | tar -xf - -C "$directory/chatserv"
    cp -R packaging/debian "$directory/chatserv/debian"
    say "building the package in $directory/"
    (cd "$directory/chatserv" && show_progress_only 'building the package' ninja_position \
        dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes)
    say 'checking the package with lintian'
    lintian --fail-on error,warning "$directory"/*.changes
    ls "$directory"/*.deb
}
