#!/bin/sh
# Starts the program, or the one before it: the one part of an update that must be right for ever, so it needs nothing
# but a POSIX shell and cat, mv, od, readlink and sync. Copied at the installation, never changed by an update.
#   launch.sh [ARGUMENT...]      default: supervise
# TARGET is $PODUP_TARGET_BIN, else $TARGET_BIN, else ~/.local/bin/pod-upgrade-trigger.
# TARGET.tries is there during an update only: how often TARGET may still be started before TARGET.old is.
set -u

target=${PODUP_TARGET_BIN:-${TARGET_BIN:-${HOME:-}/.local/bin/pod-upgrade-trigger}}
case $target in */*) ;; *) target=./$target ;; esac
# What a link names is exchanged, and .old and .tries lie beside that.
[ ! -L "$target" ] || target=$(readlink -f "$target" || echo "$target")
[ $# -gt 0 ] || set -- supervise
export PODUP_LAUNCHED_SLOT

# Whether a file looks like a program or a script. Shells take what the kernel refuses for a script of their own.
looks_whole() {
  [ -f "$1" ] && [ -x "$1" ] && [ -s "$1" ] || return 1
  case $(od -An -tx1 -N4 "$1" 2> /dev/null) in
    # Nothing: it may be run but not read, or there is no od.
    *'7f 45 4c 46'* | *'23 21'* | '') return 0 ;;
  esac
  return 1
}

# Counts a start before it happens, so that one that brings the host down counts too.
use_up_a_try() {
  left=$(cat "$target.tries") || return 1
  # No leading zero, which would be octal; anything else was not written by an update.
  case $left in [1-9] | [1-9][0-9] | [1-9][0-9][0-9]) ;; *) return 1 ;; esac
  echo "$((left - 1))" > "$target.tries.tmp" &&
    sync "$target.tries.tmp" &&
    mv -f "$target.tries.tmp" "$target.tries" &&
    sync "${target%/*}/"
}

start_old() {
  trap - EXIT
  if looks_whole "$target.old"; then
    PODUP_LAUNCHED_SLOT=old
    exec "$target.old" "$@"
  fi
  echo "launch.sh: neither $target nor $target.old can be started." >&2
  exit 127
}

if looks_whole "$target"; then
  if [ ! -e "$target.tries" ] || use_up_a_try || ! looks_whole "$target.old"; then
    # Where the kernel refuses it after all, dash and busybox end, and bash goes on if it is told to.
    trap 'start_old "$@"' EXIT
    shopt -s execfail 2> /dev/null || :
    PODUP_LAUNCHED_SLOT=target
    exec "$target" "$@"
  fi
fi
start_old "$@"
