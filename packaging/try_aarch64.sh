#!/bin/sh
# Install a kit for linux-aarch64 under QEMU, on an x86-64 Linux, and have it answer:
#
#     packaging/try_aarch64.sh ROOT KIT [PROCESSOR]
#
# Needs Debian's qemu-user-static, Linux 6.7 or newer, and no rights. ROOT is a folder with an ARM system's files: a shell,
# sed, coreutils, Python; docs/kit.md says how to get them. PROCESSOR is one that QEMU knows: cortex-a53, cortex-a76, max.
# With cortex-a53, the default, it takes 4 minutes; most of them are what `medpocket doctor` takes to measure the speed.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: packaging/try_aarch64.sh ROOT KIT [PROCESSOR]" >&2
    exit 2
fi
root=$(cd "$1" && pwd) kit=$(cd "$2" && pwd) processor=${3:-cortex-a53}
handler=/usr/lib/binfmt.d/qemu-aarch64.conf
if [ ! -r $handler ]; then
    echo "there is no $handler: install qemu-user-static" >&2
    exit 1
fi
for place in proc dev tmp kit; do mkdir -p "$root/$place"; done

# In namespaces of its own: nothing is registered or mounted outside, and there is no network.
# shellcheck disable=SC2016 # the inner shells expand these
exec unshare --user --map-root-user --mount --pid --fork --net sh -euc '
    root=$1 kit=$2 processor=$3 handler=$4
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    cat "$handler" > /proc/sys/fs/binfmt_misc/register
    mount -t proc none "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$kit" "$root/kit"
    mount -t tmpfs none "$root/tmp"
    exec env -i QEMU_CPU="$processor" HOME=/tmp LANG=C.UTF-8 PATH=/usr/bin:/bin /usr/sbin/chroot "$root" /bin/sh -euc "
        sh /kit/install.sh
        for question in \"What are the symptoms of glaucoma?\" \"How is asthma treated?\"; do
            /tmp/.local/bin/medpocket ask -m demo -n -o temperature 0 -o max_tokens 20 \"\$question\"
        done
    "
' sh "$root" "$kit" "$processor" $handler
