#include "text/byte_letters.h"

#include "base/utf8.h"

#define FIRST_MOVED 256u /* the letter of the first byte that is not its own */

/* Is the character of that number printable, so that it stands for the byte of that number? */
static bool is_own_letter(u32 n)
{
    return (n >= 33 && n <= 126) || (n >= 161 && n <= 172) || (n >= 174 && n <= 255);
}

static u32 letter_of(u8 byte)
{
    u32 moved = 0;

    if (is_own_letter(byte))
        return byte;
    for (u32 n = 0; n < byte; n++)
        moved += !is_own_letter(n);
    return FIRST_MOVED + moved;
}

/* The byte of a letter, or -1. */
static int byte_of(u32 letter)
{
    if (is_own_letter(letter))
        return (int)letter;
    if (letter < FIRST_MOVED)
        return -1;
    for (u32 n = 0, moved = FIRST_MOVED; n < 256; n++)
        if (!is_own_letter(n) && moved++ == letter)
            return (int)n;
    return -1;
}

size_t w_bytes_to_letters(const u8 *bytes, size_t size, char *letters)
{
    char *p = letters;

    for (size_t i = 0; i < size; i++) {
        u32 letter = letter_of(bytes[i]);
        if (letter < 0x80) {
            *p++ = (char)letter;
        } else {
            *p++ = (char)(0xC0 | letter >> 6);
            *p++ = (char)(0x80 | (letter & 0x3F));
        }
    }
    return (size_t)(p - letters);
}

bool w_letters_to_bytes(const char *letters, size_t size, u8 *bytes, size_t *count)
{
    const u8 *p = (const u8 *)letters;
    size_t length;
    u32 letter;

    *count = 0;
    for (size_t i = 0; i < size; i += length) {
        length = w_utf8_decode(p + i, size - i, &letter);
        int byte = length ? byte_of(letter) : -1;
        if (byte < 0)
            return false;
        bytes[(*count)++] = (u8)byte;
    }
    return true;
}
