# shellcheck shell=bash
# What the steps of the pipeline ask of the machine. Sourced.

# install PACKAGE...: Debian packages, where this user may.
install() {
    ((EUID == 0)) && command -v apt-get >/dev/null || return 1
    DEBIAN_FRONTEND=noninteractive timeout 300 sh -c \
        'apt-get -qq update && apt-get -qq install --yes --no-install-recommends "$@"' sh "$@" >/dev/null
}

# provide COMMAND...: install each that is missing, under its own name.
provide() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || install "$command" ||
            printf '%s is missing and could not be installed.\n' "$command" >&2
    done
}

# A Python that can make environments.
provide_python() {
    local python
    python=$(find_python 3.11 || find_python 3.12 || find_python 3.13) || {
        install python3 python3-venv || printf 'Python 3.11 or newer is missing.\n' >&2
        return
    }
    "$python" -c 'import ensurepip' 2>/dev/null || install python3-venv ||
        printf 'The module ensurepip of %s is missing.\n' "$python" >&2
}

# find_python 3.12: the path of a Python of that version. A command may be there and not work.
find_python() {
    local python
    for python in "python$1" "$HOME/.pyenv/versions/$1".*/bin/python "/opt/python/$1"*/bin/python python3; do
        "$python" -c 'import sys; assert "%d.%d" % sys.version_info[:2] == sys.argv[1]; print(sys.executable)' \
            "$1" 2>/dev/null && return
    done
    return 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
