# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the lab says. Everything goes to standard error: standard output carries
# results alone (paths, URIs, what a command inside the lab prints).

# 0 errors only; 1 what is done, commands in short form; 2 commands in full.
# Unset until a command has chosen: `up` and `down` tell, the others are silent.
verbosity=${verbosity:-}

talk_by_default() { verbosity=${verbosity:-1}; }

say()  { [ "${verbosity:-0}" -lt 1 ] || printf '%s\n' "$*" >&2; }
warn() { printf 'lab: %s\n' "$*" >&2; }
fail() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# Words as a shell would read them again.
quoted() {
    local word out=''
    for word in "$@"; do
        case $word in
            ''|*[!A-Za-z0-9_./:=,@%+-]*) printf -v word '%q' "$word" ;;
        esac
        out+="${out:+ }$word"
    done
    printf '%s' "$out"
}

# Say a command and run it.
run() {
    say "# $(quoted "$@")"
    "$@"
}

# run, without its chatter unless it fails
run_quietly() {
    local out
    say "# $(quoted "$@")"
    out=$("$@" 2>&1) || { printf '%s\n' "$out" >&2; return 1; }
}

# Ask until the answer is yes: wait_for SECONDS WHAT COMMAND...
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            warn "waited in vain for $what"
            return 1
        fi
        sleep 0.05
    done
}
