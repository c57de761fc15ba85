/* The yardstick of tests/bench/metering/run: what a hobby meter in the manner of emonLib does with the same
 * samples. Written from the published formulas, for this comparison only.
 *
 * For each pair of a voltage and a current: a digital high-pass takes the offset out, squares and products are
 * summed, the clamp's phase error is taken back by interpolating the voltage, and after twenty zero crossings of
 * the first voltage root mean squares, active and apparent power come out. It has no fractional windows, no
 * harmonics, no reactive power, no frequency, no noise floor, and no idea of lost or clipped samples.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS = 8, CROSSINGS = 20 };

struct pair {
    double offset_v, offset_i, last_v, sum_v, sum_i, sum_p;
};

static const double PHASE = 1.28, VOLTS = 1e-4, AMPS = 1e-4;

static double finish(struct pair *pair, long samples)
{
    double volts = VOLTS * sqrt(pair->sum_v / samples);
    double amps = AMPS * sqrt(pair->sum_i / samples);
    double watts = VOLTS * AMPS * pair->sum_p / samples;
    double factor = watts / (volts * amps);
    pair->sum_v = pair->sum_i = pair->sum_p = 0;
    return watts + 0 * factor;
}

/* Counted: frames in, readings out. */
__attribute__((noinline)) double emon_counted(const int32_t *codes, long frames, int channels)
{
    struct pair pairs[CHANNELS / 2] = {{0}};
    long samples = 0;
    int crossings = 0, was_above = 0;
    double watts = 0;
    for (long frame = 0; frame < frames; frame++, codes += CHANNELS) {
        for (int at = 0; at < channels / 2; at++) {
            struct pair *pair = &pairs[at];
            double i = codes[2 * at], v = codes[2 * at + 1];
            pair->offset_v += (v - pair->offset_v) / 1024;
            pair->offset_i += (i - pair->offset_i) / 1024;
            v -= pair->offset_v;
            i -= pair->offset_i;
            double shifted = pair->last_v + PHASE * (v - pair->last_v);
            pair->last_v = v;
            pair->sum_v += v * v;
            pair->sum_i += i * i;
            pair->sum_p += shifted * i;
        }
        samples++;
        int above = pairs[0].last_v > 0;
        crossings += above != was_above;
        was_above = above;
        if (crossings < CROSSINGS)
            continue;
        watts = 0;
        for (int at = 0; at < channels / 2; at++)
            watts += finish(&pairs[at], samples);
        samples = crossings = 0;
    }
    return watts;
}

int main(int count, char **arguments)
{
    FILE *file = count == 3 ? fopen(arguments[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: emon FILE CHANNELS\n");
        return 2;
    }
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    int32_t *codes = malloc(bytes);
    if (!codes || fread(codes, 1, bytes, file) != (size_t)bytes)
        return 1;
    printf("%f\n", emon_counted(codes, bytes / 4 / CHANNELS, atoi(arguments[2])));
    return 0;
}
