/*
 * The header compiles as C, and its macros and functions work there. kqueue_contract_test.cpp calls
 * these functions. use_kqueue_from_c() returns 0, or the number of the step that failed.
 */
#include "tests/kqueue/every_name.h"

#include <stddef.h>
#include <sys/event.h>
#include <sys/types.h>
#include <unistd.h>

_Static_assert(sizeof(((struct kevent*)0)->ident) == sizeof(void*), "ident holds a pointer");
_Static_assert(EVFILT_READ < 0 && EVFILT_USER < 0, "filters are negative");

int use_kqueue_from_c(void);

#ifdef EVERY_NAME
/* Returns the first name whose value differs from FreeBSD's; null if there is none. */
const char* find_wrong_value_in_c(void);

const char* find_wrong_value_in_c(void) {
#define COMPARE(name, value)                                                                       \
    if ((long long)(name) != (long long)(value))                                                   \
        return #name;
    EVERY_NAME(COMPARE)
#undef COMPARE
    return NULL;
}
#endif

int use_kqueue_from_c(void) {
    struct kevent change;
    struct kevent event;
    struct timespec no_time = {0, 0};
    int mark = 0;
    const int queue = kqueue();
    if (queue == -1)
        return 1;
    EV_SET(&change, 7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, &mark);
    if (kevent(queue, &change, 1, NULL, 0, NULL) != 0)
        return 2;
    EV_SET(&change, 7, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFCOPY | 3, 5, &mark);
    if (kevent(queue, &change, 1, &event, 1, &no_time) != 1)
        return 3;
    if (event.ident != 7 || event.filter != EVFILT_USER || event.udata != &mark)
        return 4;
    if ((event.fflags & NOTE_FFLAGSMASK) != 3 || event.data != 5)
        return 5;
    return close(queue) == 0 ? 0 : 6;
}
