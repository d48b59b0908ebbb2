export const drawBars = (_: unknown) => "";
