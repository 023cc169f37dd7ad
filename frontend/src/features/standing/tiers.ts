export const HIGHEST_TIER = 4;
