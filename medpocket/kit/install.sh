#!/bin/sh
# Install MedPocket from the kit that this file lies in, or remove it: sh install.sh --help
# It looks for a Python that the kit has packages for; everything else is done by that, in installer/.
set -eu

kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
if ! read -r wanted < "$kit/installer/pythons"; then
    echo "install.sh: $kit is not a whole kit: installer/pythons is missing" >&2
    echo "run the install.sh that lies in the kit, and copy the kit anew if it does" >&2
    exit 1
fi

chosen='' seen=''
# Whether $1 can be used; notes what it is.
usable() {
    version=$("$1" -E -s -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    seen="$seen $version"
    case " $wanted " in *" $version "*) ;; *) return 1 ;; esac
    "$1" -I -c 'import ctypes, sqlite3, venv, zipfile, zlib' 2>/dev/null || { seen="$seen (incomplete)"; return 1; }
}

if [ -n "${MEDPOCKET_PYTHON:-}" ]; then
    if usable "$MEDPOCKET_PYTHON"; then chosen=$MEDPOCKET_PYTHON; fi
else
    newest=''
    for version in $wanted; do newest="python$version $newest"; done
    for candidate in python3 $newest python; do
        if usable "$candidate"; then chosen=$candidate; break; fi
    done
fi
if [ -z "$chosen" ]; then
    echo "install.sh: this kit needs Python $(echo "$wanted" | sed 's/ / or /g'); this machine has:${seen:- none}" >&2
    echo "have one of them installed, or ask for a kit for yours: medpocket bundle build --python 3.N" >&2
    exit 1
fi

exec "$chosen" -I -B -c '
import sys
sys.path.insert(0, sys.argv[1])
from medpocket.kit.install.main import main
sys.exit(main(sys.argv[2], sys.argv[3:]))
' "$kit/installer" "$kit" "$@"
