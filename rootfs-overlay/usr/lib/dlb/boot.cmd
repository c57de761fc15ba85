# Chooses the system to start: the first of BOOT_ORDER that has tries left; each start costs one, the health check
# gives them back. U-Boot runs this as boot.scr from the FAT partition `boot` of the disk; the builds of the images
# compile it with mkimage.
#
# The variables live in the first sector of the partition `env`, written in one piece. The second sector is this
# script's own copy: if the first is torn, the box starts what it last started with.
# A system is an ext4 partition rootfs-a or rootfs-b with /boot/Image and, where the kernel needs one, /boot/initrd.

setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
setenv MACHINE_ID
setenv FACTORY_RESET
setenv dlb_names BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT MACHINE_ID FACTORY_RESET

part start ${devtype} ${devnum} env dlb_first
setexpr dlb_second ${dlb_first} + 1
${devtype} read ${ramdisk_addr_r} ${dlb_first} 1
if env import -c ${ramdisk_addr_r} 200 ${dlb_names}; then
	echo "dlb: variables read"
else
	echo "dlb: variables torn, taking the copy"
	${devtype} read ${ramdisk_addr_r} ${dlb_second} 1
	env import -c ${ramdisk_addr_r} 200 ${dlb_names}
fi

setenv dlb_slot
for slot in ${BOOT_ORDER}; do
	if test -n "${dlb_slot}"; then
		true
	elif test "${slot}" = "A" && test ${BOOT_A_LEFT} -gt 0; then
		setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
		setenv dlb_slot A
		setenv dlb_label rootfs-a
	elif test "${slot}" = "B" && test ${BOOT_B_LEFT} -gt 0; then
		setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
		setenv dlb_slot B
		setenv dlb_label rootfs-b
	fi
done
if test -z "${dlb_slot}"; then
	echo "dlb: no tries left anywhere, giving three to both"
	setenv BOOT_A_LEFT 3
	setenv BOOT_B_LEFT 3
fi

env export -c -s 200 ${ramdisk_addr_r} ${dlb_names}
${devtype} write ${ramdisk_addr_r} ${dlb_first} 1
${devtype} write ${ramdisk_addr_r} ${dlb_second} 1
if test -z "${dlb_slot}"; then
	reset
fi

setenv bootargs "root=PARTLABEL=${dlb_label} ro rootwait rauc.slot=${dlb_slot} panic=5 ${dlb_bootargs}"
# A box that forgets everything forgets who it was, too.
if test -n "${FACTORY_RESET}"; then
	setenv bootargs "${bootargs} dlb.forget=1"
elif test -n "${MACHINE_ID}"; then
	setenv bootargs "${bootargs} systemd.machine_id=${MACHINE_ID}"
fi
echo "dlb: starting ${dlb_slot} (tries left: A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT})"

part number ${devtype} ${devnum} ${dlb_label} dlb_part
if load ${devtype} ${devnum}:${dlb_part} ${kernel_addr_r} /boot/Image; then
	if load ${devtype} ${devnum}:${dlb_part} ${ramdisk_addr_r} /boot/initrd; then
		booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
	else
		booti ${kernel_addr_r} - ${fdt_addr}
	fi
fi
echo "dlb: ${dlb_slot} cannot be started"
sleep 2
reset
