// The weights of requests and frames: estimates of their memory in bytes, for the bounds.

import { type Frame, sizeOf } from "../protocol/frame.ts";

/** The memory that a request with these frames takes, in bytes. */
export const weigh = (frames: Frame[]) => REQUEST_WEIGHT + weighFrames(frames);

/** The memory that these frames take, in bytes. */
export const weighFrames = (frames: Frame[]) => FRAME_WEIGHT * frames.length + sizeOf(frames);

/** The memory that these texts take, in bytes. */
export const weighTexts = (texts: string[]) =>
  texts.reduce((weight, text) => weight + FRAME_WEIGHT + 2 * text.length, 0);

const REQUEST_WEIGHT = 256;
const FRAME_WEIGHT = 64;
