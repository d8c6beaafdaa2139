# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# The libvirtd of a host, with the storage backends one asks for.

module_file() { printf 'libvirt_storage_%s_gluster.so' "$1"; }  # backend or file

triplet() { dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch 2>/dev/null || printf '%s-linux-gnu' "$(uname -m)"; }
system_libdir() { printf '/usr/lib/%s' "$(triplet)"; }

# The distribution's own gluster module, also where sf-gluster's package has moved it
# aside.
stock_module() {  # backend|file
    local file
    for file in "$(system_libdir)/sf-gluster/stock/$(module_file "$1")" "$(system_libdir)/libvirt/storage-$1/$(module_file "$1")"; do
        [ -e "$file" ] && { printf '%s' "$file"; return; }
    done
    return 1
}

# A folder of links to all modules of a kind that the system has, with another gluster
# module or none. libvirtd takes it in the place of its own (LIBVIRT_STORAGE_BACKEND_DIR,
# LIBVIRT_STORAGE_FILE_DIR).
link_modules() {  # backend|file DIR [GLUSTER-MODULE]
    local kind=$1 dir=$2 file
    rm -rf "$dir"
    mkdir -p "$dir"
    for file in "$(system_libdir)"/libvirt/storage-"$kind"/*.so; do
        [ "${file##*/}" = "$(module_file "$kind")" ] || ln -s "$file" "$dir/"
    done
    [ -z "${3:-}" ] || ln -s "$3" "$dir/$(module_file "$kind")"
}

# All of libvirt's drivers but that for node devices. libvirtd 11.3.0, stopped within a tenth of a
# second of its start, often waits for that one's thread (udev-event) for 30 s, and then ends with
# status 1.
link_drivers() {  # DIR
    local file
    mkdir -p "$1"
    for file in "$(system_libdir)"/libvirt/connection-driver/*.so; do
        case $file in *_nodedev.so) ;; *) ln -sfn "$file" "$1/" ;; esac
    done
}

# Ours from an install tree. The loaders find the ABI modules and the stock modules
# from where they really are, so a link is enough; the stock modules have to be
# linked into the tree, as the package does by moving them aside.
link_install_root() {  # HOST ROOT WITH-STOCK
    local root own kind loader stock
    root=$(cd "$2" 2>/dev/null && pwd) || fail "no such install tree: $2"
    own=$root$(system_libdir)/sf-gluster
    for kind in backend file; do
        loader=$root$(system_libdir)/libvirt/storage-$kind/$(module_file "$kind")
        [ -e "$loader" ] || fail "there is no $loader; DESTDIR=$2 cmake --install build"
        if [ "$3" = no ]; then
            [ ! -L "$own/stock/$(module_file "$kind")" ] || rm "$own/stock/$(module_file "$kind")"
        elif [ ! -e "$own/stock/$(module_file "$kind")" ]; then
            stock=$(stock_module "$kind") || fail "the package libvirt-daemon-driver-storage-gluster is missing: packaging/install-deps --lab"
            mkdir -p "$own/stock"
            ln -sfn "$stock" "$own/stock/$(module_file "$kind")"
        fi
        link_modules "$kind" "$state/host$1/modules-$kind" "$loader"
    done
}

# The hook from an install tree, which finds its program there, or none.
link_hook() {  # HOST [ROOT]
    local directory=$state/host$1/etc/hooks/qemu.d script=${2:+$2/etc/libvirt/hooks/qemu.d/50-sf-gluster}
    rm -f "$directory/50-sf-gluster"
    [ -n "$script" ] && [ -f "$script" ] || return 0
    mkdir -p "$directory"
    sed "s|^program=|program=$(cd "$2" && pwd)|" "$script" > "$directory/50-sf-gluster"
    chmod 755 "$directory/50-sf-gluster"
}

libvirtd_process() { recorded_process "$state/host$1/libvirtd"; }

# Open the sockets, and then answer: libvirtd listens before its drivers are ready.
libvirtd_answers() {
    [ -S "$state/host$1/libvirt/libvirt-sock" ] &&
        ask "host$1" timeout "$2" virsh --quiet --connect qemu:///system uri
}

start_virtlogd() {  # it keeps the guests' output, over restarts of libvirtd
    local h=$1
    recorded_process "$state/host$h/virtlogd" >/dev/null && return
    rm -f "$state/host$h/libvirt/virtlogd-sock"
    spawn "$data/host$h/log/virtlogd.stderr" nsenter --target "$(holder "host$h")" --mount --net --uts -- virtlogd
    record_process "$spawned" "$state/host$h/virtlogd"
    wait_for 10 "virtlogd" test -S "$state/host$h/libvirt/virtlogd-sock"
}

# Runs inside: libvirtd, and how it ended. The wrapper is split into words.
lab_inside_libvirtd() {  # EXIT-FILE WRAP [KEY=VALUE]...
    local exit_file=$1 wrap=$2 status=0
    local -a unconfined=()
    shift 2
    # The host's profile, by the program's path, knows nothing of what is tried here.
    ! aa-enabled --quiet 2>/dev/null || unconfined=(aa-exec --profile unconfined --)
    # shellcheck disable=SC2086
    env "$@" $wrap "${unconfined[@]}" /usr/sbin/libvirtd || status=$?
    printf '%s\n' "$status" > "$exit_file"
}

# The options of a start are kept for `restart`.
parse_libvirtd_options() {
    h=1 backends='' root='' with_stock=yes wrap='' debug=no limit=60 environment=() given=no
    while [ $# -gt 0 ]; do
        case $1 in
            --host)         h=$2; shift 2; continue ;;
            --timeout)      limit=$2; shift 2; continue ;;
            --stock)        backends='' root='' ;;
            --install-root) root=$2; shift ;;
            --no-stock)     with_stock=no ;;
            --storage-dir)  backends=$2; shift ;;
            --env)          environment+=("$2"); shift ;;
            --wrap)         wrap=$2; shift ;;
            --debug)        debug=yes ;;
            *)              fail "libvirtd: what is $1?" ;;
        esac
        given=yes
        shift
    done
    [ -d "$state/host$h" ] || fail "lab '$name' has no host $h"
}

start_libvirtd() {
    local dir=$data/host$h env_list=() filters level pid who=host$h
    if libvirtd_process "$h" >/dev/null; then fail "libvirtd of host $h is running: stop it first, or restart"; fi
    command -v libvirtd >/dev/null || [ -x /usr/sbin/libvirtd ] || fail "libvirtd is missing: packaging/install-deps --lab"

    link_hook "$h" "$root"
    if [ -n "$root" ]; then
        link_install_root "$h" "$root" "$with_stock"
        backends=$state/host$h/modules-backend
        env_list+=("LIBVIRT_STORAGE_FILE_DIR=$state/host$h/modules-file")
    fi
    if [ -n "$backends" ]; then
        [ -d "$backends" ] || fail "no such folder of backends: $backends"
        env_list+=("LIBVIRT_STORAGE_BACKEND_DIR=$(cd "$backends" && pwd)")
    fi
    # Warnings of all, and what the storage driver and its backends tell.
    level=3 filters='2:storage 2:gluster'
    [ "$debug" = no ] || filters='1:storage 1:gluster 1:qemu 1:security 1:module 1:daemon'
    link_drivers "$state/$who/drivers"
    env_list+=("LIBVIRT_DRIVER_DIR=$state/$who/drivers" "LIBVIRT_DEBUG=$level" "LIBVIRT_LOG_FILTERS=$filters" "LIBVIRT_LOG_OUTPUTS=1:file:/var/log/libvirt/libvirtd.log")

    start_virtlogd "$h"
    # Each start has logs of its own; what was there is kept behind it.
    local log
    for log in libvirtd.log libvirtd.stderr; do
        [ ! -s "$dir/log/$log" ] || { cat "$dir/log/$log" >> "$dir/log/$log.old"; : > "$dir/log/$log"; }
    done
    rm -f "$state/$who/libvirtd.exit" "$state/$who/libvirt/libvirt-sock"
    say "$who# $(quoted env "${env_list[@]}" "${environment[@]}")${wrap:+ $wrap} libvirtd"
    spawn "$dir/log/libvirtd.stderr" nsenter --target "$(holder "$who")" --mount --net --uts -- \
        "$lab_command" inside-libvirtd "$state/$who/libvirtd.exit" "$wrap" "${env_list[@]}" "${environment[@]}"
    wait_for "$limit" "libvirtd of host $h" libvirtd_answers_or_ended "$h" "$limit" || true
    if [ -f "$state/$who/libvirtd.exit" ]; then
        { cat "$dir/log/libvirtd.stderr"; grep ': error :' "$dir/log/libvirtd.log"; } 2>/dev/null | tail -n 10 >&2
        fail "libvirtd ended with status $(<"$state/$who/libvirtd.exit") while it started (all it said: $dir/log/libvirtd.stderr, libvirtd.log)"
    fi
    pid=$(ask "$who" cat /run/libvirtd.pid) || fail "libvirtd of host $h did not start (see $dir/log/libvirtd.stderr)"
    record_process "$pid" "$state/$who/libvirtd"
    [ -S "$state/$who/libvirt/libvirt-sock" ] || fail "libvirtd of host $h did not answer in $limit s"
}

libvirtd_answers_or_ended() { [ -f "$state/host$1/libvirtd.exit" ] || libvirtd_answers "$1" "$2"; }

has_ended() { ! recorded_process "$1"; }

# Fails if libvirtd had ended already, badly, or must be killed.
stop_libvirtd() {  # SIGNAL
    local pid file=$state/host$h/libvirtd status
    if ! pid=$(libvirtd_process "$h"); then
        say "libvirtd of host $h is not running"
        return 0
    fi
    kill -s "$1" "$pid" 2>/dev/null || true
    if ! wait_for "$limit" "libvirtd of host $h to end" has_ended "$file"; then
        kill -s KILL "$pid" 2>/dev/null || true
        warn "libvirtd of host $h did not end within $limit s of SIG$1 and was killed"
        return 1
    fi
    wait_for 10 "libvirtd's exit status" test -f "$file.exit" || return 1
    status=$(<"$file.exit")
    rm -f "$file"
    [ "$1" = KILL ] || [ "$status" -eq 0 ] || { warn "libvirtd of host $h ended with status $status"; return 1; }
}

lab_libvirtd() {
    need_lab "${1:-}"
    local action=${2:-} h backends root with_stock wrap debug limit environment given last
    shift; [ $# -eq 0 ] || shift
    parse_libvirtd_options "$@"
    lock_lab
    last=$state/host$h/libvirtd.options
    case $action in
        start|restart)
            if [ "$action" = restart ]; then
                stop_libvirtd TERM
                if [ "$given" = no ] && [ -f "$last" ]; then
                    local kept
                    mapfile -d '' kept < "$last"
                    parse_libvirtd_options --host "$h" --timeout "$limit" "${kept[@]}"
                fi
            fi
            [ "$given" = no ] || remember_options "$last"
            [ "$given$action" != nostart ] || rm -f "$last"
            start_libvirtd ;;
        stop)    stop_libvirtd TERM ;;
        kill)    stop_libvirtd KILL ;;
        status)
            if libvirtd_process "$h" >/dev/null; then echo "running, pid $(libvirtd_process "$h")"; else echo "not running"; return 3; fi ;;
        *) fail "libvirtd: start, stop, restart, kill or status?" ;;
    esac
}

remember_options() {  # FILE
    local e options=()
    [ -z "$root" ]          || options+=(--install-root "$root")
    [ -z "$backends" ]      || options+=(--storage-dir "$backends")
    [ "$with_stock" = yes ] || options+=(--no-stock)
    [ -z "$wrap" ]          || options+=(--wrap "$wrap")
    [ "$debug" = no ]       || options+=(--debug)
    for e in "${environment[@]}"; do options+=(--env "$e"); done
    if [ ${#options[@]} -eq 0 ]; then : > "$1"; else printf '%s\0' "${options[@]}" > "$1"; fi
}
