SUMMARY = "An update of a dlb box"
DESCRIPTION = "The image as a signed bundle: checked block by block while it is read, and fetched block by block \
where only some have changed."
LICENSE = "Apache-2.0"

SRC_URI = ""

inherit bundle

RAUC_BUNDLE_COMPATIBLE = "${DLB_COMPATIBLE}"
RAUC_BUNDLE_VERSION = "${DISTRO_VERSION}"
RAUC_BUNDLE_DESCRIPTION = "dlb ${DISTRO_VERSION}"
RAUC_BUNDLE_FORMAT = "verity"

RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "dlb-image"
RAUC_SLOT_rootfs[fstype] = "ext4"
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"

# The running system refuses what is older; this file is covered by the signature.
RAUC_BUNDLE_EXTRA_FILES += "version"

do_unpack_version() {
    echo "${DISTRO_VERSION}" > ${UNPACKDIR}/version
}
addtask unpack_version after do_unpack before do_configure
do_unpack_version[vardeps] += "DISTRO_VERSION"
