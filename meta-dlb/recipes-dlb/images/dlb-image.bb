SUMMARY = "The system of a dlb box"
DESCRIPTION = "Read-only root file system, twice on the disk, with a data partition beside them."
LICENSE = "Apache-2.0"

inherit image

IMAGE_FEATURES = "read-only-rootfs"
IMAGE_LINGUAS = ""

IMAGE_INSTALL = "\
    packagegroup-core-boot \
    dlb \
    dlb-overlay \
    rauc \
    rauc-service \
    ca-certificates \
    kernel-image \
    kernel-modules \
    nftables \
    tzdata-core \
"

# A slot is 512 MiB; this leaves room for what comes.
IMAGE_ROOTFS_SIZE = "524288"
IMAGE_OVERHEAD_FACTOR = "1.0"
IMAGE_ROOTFS_EXTRA_SPACE = "0"
IMAGE_ROOTFS_MAXSIZE = "524288"

# What goes onto the boot partition besides the board's own files.
do_image_wic[depends] += "dlb-boot-script:do_deploy virtual/bootloader:do_deploy"
DLB_BOARD_DEPENDS ?= ""
# nooelint: oelint.vars.specific - an override of the board's maker
DLB_BOARD_DEPENDS:rpi = "dlb-adc-overlay:do_deploy"
do_image_wic[depends] += "${DLB_BOARD_DEPENDS}"
# The disk holds the file system that bundles carry; no other boot loader is wanted.
# nooelint: oelint.vars.specific - a kind of image
IMAGE_TYPEDEP:wic = "ext4"
WKS_FILE_DEPENDS = "${WKS_FILE_DEPENDS_DEFAULT}"

# Bundles older than what runs are refused by comparing this.
image_version() {
    echo 'IMAGE_VERSION="${DISTRO_VERSION}"' >> ${IMAGE_ROOTFS}${nonarch_libdir}/os-release
}
ROOTFS_POSTPROCESS_COMMAND += "image_version"

# Nobody can log in: the box is operated by its page.
inherit extrausers
EXTRA_USERS_PARAMS = "usermod --lock root;"
