// FLASH keeps a constant out of the AVR's scarce RAM.
#ifndef KUAI_FLASH_H
#define KUAI_FLASH_H

#ifdef __AVR__
#define FLASH __flash
#else
#define FLASH
#endif

#endif
