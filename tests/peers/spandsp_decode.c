/* Hears DTMF digits with spandsp in signed 16-bit native-endian samples at 8 kHz from standard input.

   spandsp_decode           prints the digits
   spandsp_decode times     prints a line for each digit: the digit, and how many samples had been heard when it was told
   spandsp_decode cost N    hears everything N times from memory, and prints the processor time it took, in seconds

   Built by the tests: cc -O2 spandsp_decode.c -lspandsp */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <spandsp.h>

enum { BLOCK = 160, DIGITS = 128 };

static int16_t *samples;
static size_t length;

static void read_all(void)
{
    size_t room = 1 << 20, got;

    samples = malloc(room * sizeof(*samples));
    while (samples && (got = fread(samples + length, sizeof(*samples), room - length, stdin)) > 0) {
        length += got;
        if (length == room)
            samples = realloc(samples, (room *= 2) * sizeof(*samples));
    }
    if (!samples)
        abort();
}

static void hear(dtmf_rx_state_t *receiver, size_t block, int times)
{
    char digits[DIGITS + 1];

    for (size_t at = 0; at < length; at += block) {
        size_t count = length - at < block ? length - at : block;
        dtmf_rx(receiver, samples + at, (int)count);
        size_t found = dtmf_rx_get(receiver, digits, DIGITS);
        for (size_t n = 0; n < found; n++) {
            if (times > 0)
                printf("%c %zu\n", digits[n], at + count);
            else if (times == 0)
                putchar(digits[n]);
        }
    }
}

static double processor_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int count, char **arguments)
{
    dtmf_rx_state_t *receiver = dtmf_rx_init(NULL, NULL, NULL);

    read_all();
    if (count == 3 && strcmp(arguments[1], "cost") == 0) {
        double before = processor_time();
        for (long pass = atol(arguments[2]); pass > 0; pass--)
            hear(receiver, BLOCK, -1);
        printf("%.9f\n", processor_time() - before);
    } else if (count == 2 && strcmp(arguments[1], "times") == 0) {
        /* One sample at a time, so that no block of ours adds to its own. */
        hear(receiver, 1, 1);
    } else {
        hear(receiver, BLOCK, 0);
    }
    dtmf_rx_free(receiver);
    free(samples);
    return 0;
}
