# What the boot script uses, and nobody else's environment.
FILESEXTRAPATHS:prepend:dlb-os := "${THISDIR}/files:"

SRC_URI:append:dlb-os = " file://dlb.cfg"
SRC_URI:append:dlb-os:rpi = " file://dlb-watchdog.cfg"
