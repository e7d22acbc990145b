/* Prints the DTMF digits that spandsp hears in signed 16-bit native-endian samples at 8 kHz from standard input.
   Built by the tests: cc spandsp_decode.c -lspandsp */
#include <stdint.h>
#include <stdio.h>
#include <spandsp.h>

int main(void)
{
    dtmf_rx_state_t *receiver = dtmf_rx_init(NULL, NULL, NULL);
    int16_t samples[160];
    char digits[128 + 1];
    size_t count;

    while ((count = fread(samples, sizeof(samples[0]), 160, stdin)) > 0) {
        dtmf_rx(receiver, samples, (int)count);
        size_t found = dtmf_rx_get(receiver, digits, 128);
        fwrite(digits, 1, found, stdout);
    }
    dtmf_rx_free(receiver);
    return 0;
}
