/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <config.h>

#include "driver/libvirt/layout_selftest.h"

#include <malloc.h>
#include <stdio.h>

#include "driver/libvirt/compat.h"
#include "driver/libvirt/layout_probe.h"
#include "storage_conf.h"
#include "virbitmap.h"
#include "virerror.h"

static const char pool_xml[] =
    "<pool type='gluster'>"
    "<name>sf-gluster-self-test</name>"
    "<capacity unit='bytes'>1234567890123</capacity>"
    "<source>"
    "<host name='one.invalid' port='24017'/>"
    "<host name='two.invalid'/>"
    "<dir path='/self/test'/>"
    "<name>volume-of-self-test</name>"
    "</source>"
    "</pool>";

static const char volume_xml[] =
    "<volume type='netdir'>"
    "<name>self/test</name>"
    "<key>key-of-self-test</key>"
    "<capacity unit='bytes'>987654321987654</capacity>"
    "<allocation unit='bytes'>123456789123456</allocation>"
    "<target>"
    "<path>/path/of/self/test</path>"
    "<format type='qcow2'/>"
    "<permissions><mode>0641</mode><owner>4711</owner><group>4712</group></permissions>"
    "<compat>1.1</compat>"
    "<clusterSize unit='bytes'>131072</clusterSize>"
    "<features><lazy_refcounts/></features>"
    "</target>"
    "<backingStore><path>/base/of/self/test</path><format type='vmdk'/></backingStore>"
    "</volume>";

static int check_pool(const virStoragePoolDef *parsed, char *reason, size_t reason_size) {
    virStoragePoolDef pool;
    virStoragePoolSourceHost hosts[2];

    /* The parser allocated with its own idea of the size. */
    SFG_EXPECT(malloc_usable_size((void *)(unsigned long)parsed) >= sizeof(pool));
    SFG_EXPECT(sfg_fetch(parsed, &pool, sizeof(pool)) == 0);
    SFG_EXPECT(pool.type == VIR_STORAGE_POOL_GLUSTER);
    SFG_EXPECT(pool.source.nhost == 2);
    SFG_EXPECT(sfg_holds_text(pool.name, "sf-gluster-self-test"));
    SFG_EXPECT(sfg_holds_text(pool.source.name, "volume-of-self-test"));
    SFG_EXPECT(sfg_holds_text(pool.source.dir, "/self/test"));
    SFG_EXPECT(sfg_fetch(pool.source.hosts, hosts, sizeof(hosts)) == 0);
    SFG_EXPECT(sfg_holds_text(hosts[0].name, "one.invalid"));
    SFG_EXPECT(hosts[0].port == 24017);
    SFG_EXPECT(sfg_holds_text(hosts[1].name, "two.invalid"));
    return 0;
}

static int check_volume(const virStorageVolDef *parsed, char *reason, size_t reason_size) {
    virStorageVolDef volume;
    virStorageSource backing;
    virStoragePerms perms;

    SFG_EXPECT(malloc_usable_size((void *)(unsigned long)parsed) >= sizeof(volume));
    /* Not much more either: malloc rounds up by less than 32 bytes. */
    SFG_EXPECT(malloc_usable_size((void *)(unsigned long)parsed) < sizeof(volume) + 32);
    SFG_EXPECT(sfg_fetch(parsed, &volume, sizeof(volume)) == 0);
    SFG_EXPECT(volume.type == VIR_STORAGE_VOL_NETDIR);
    SFG_EXPECT(volume.target.capacity == 987654321987654ULL);
    SFG_EXPECT(volume.target.allocation == 123456789123456ULL);
    SFG_EXPECT(volume.target.has_allocation);
    SFG_EXPECT(volume.target.format == VIR_STORAGE_FILE_QCOW2);
    SFG_EXPECT(volume.target.clusterSize == 131072);
    SFG_EXPECT(volume.target.type == VIR_STORAGE_TYPE_FILE);
    SFG_EXPECT(volume.target.encryption == NULL);
    SFG_EXPECT(volume.target.timestamps == NULL);
    SFG_EXPECT(sfg_holds_text(volume.name, "self/test"));
    SFG_EXPECT(sfg_holds_text(volume.key, "key-of-self-test"));
    SFG_EXPECT(sfg_holds_text(volume.target.path, "/path/of/self/test"));
    SFG_EXPECT(sfg_holds_text(volume.target.compat, "1.1"));
    SFG_EXPECT(sfg_fetch(volume.target.perms, &perms, sizeof(perms)) == 0);
    SFG_EXPECT(perms.mode == 0641 && perms.uid == 4711 && perms.gid == 4712);
    SFG_EXPECT(sfg_fetch(volume.target.backingStore, &backing, sizeof(backing)) == 0);
    SFG_EXPECT(backing.format == VIR_STORAGE_FILE_VMDK);
    SFG_EXPECT(sfg_holds_text(backing.path, "/base/of/self/test"));
    /* Last, as it makes libvirt look at a pointer that we read. */
    SFG_EXPECT(volume.target.features != NULL &&
           virBitmapIsBitSet(volume.target.features, VIR_STORAGE_FILE_FEATURE_LAZY_REFCOUNTS));
    return 0;
}

int sfg_layout_selftest(char *reason, size_t reason_size) {
    virStoragePoolDef *pool = NULL;
    virStorageVolDef *volume = NULL;
    int result = -1;

    if (!(pool = SFG_PARSE_POOL(pool_xml)) || !(volume = SFG_PARSE_VOLUME(pool, volume_xml))) {
        snprintf(reason, reason_size, "libvirt cannot parse the self-test's documents: %s",
                 virGetLastErrorMessage());
        virResetLastError();
    } else if (check_pool(pool, reason, reason_size) == 0 &&
               check_volume(volume, reason, reason_size) == 0) {
        result = 0;
    }
    virStorageVolDefFree(volume);
    virStoragePoolDefFree(pool);
    return result;
}
