/*
 * For a child that shares its parent's descriptor table: clone(2) with CLONE_FILES and without
 * CLONE_VM. It inherits this layer's memory by copy, but the descriptors are the parent's own.
 *
 * No system but Linux needs this, and no other has this file: a kernel that has kqueues knows which
 * process each of them belongs to.
 */
#ifndef KQUEUE_SHARED_TABLE_H
#define KQUEUE_SHARED_TABLE_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In the child, before it calls kqueue(): forgets every kqueue and every watched signal of the
 * parent, and closes nothing. The program's own dispositions and signal mask are in force again, as
 * in a forked child. The memory of the parent's kqueues is not freed, because freeing them would
 * close their descriptors.
 */
void kqueue_leave_to_parent(void);

#ifdef __cplusplus
}
#endif

#endif
